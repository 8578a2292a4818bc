#include "CBuildIdentity.h"

const char *broker_build_commit(void) {
    return BROKER_SOURCE_COMMIT;
}
