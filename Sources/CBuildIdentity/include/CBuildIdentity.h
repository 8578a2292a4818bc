#ifndef C_BUILD_IDENTITY_H
#define C_BUILD_IDENTITY_H

/// The commit that the build was told in the variable SOURCE_COMMIT; empty where it was told none.
const char *broker_build_commit(void);

#endif
