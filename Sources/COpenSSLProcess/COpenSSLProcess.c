#include "COpenSSLProcess.h"

#include <openssl/crypto.h>
#include <stddef.h>

// OpenSSL frees its locks in an exit handler (OPENSSL_init_crypto(3), OPENSSL_INIT_NO_ATEXIT). A background thread that is still making a
// wrapping key then crashes a process that had ended well. The option counts only in OpenSSL's first initialisation, hence the constructor.
__attribute__((constructor)) static void keep_openssl_until_the_process_is_gone(void) {
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}
