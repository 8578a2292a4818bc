#ifndef BROKER_COPENSSL_PROCESS_H
#define BROKER_COPENSSL_PROCESS_H

/// Nothing to call: linking this target keeps OpenSSL's tables and locks until the process is gone (see the source file).

#endif
