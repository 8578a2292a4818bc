#ifndef BROKER_COPENSSL_H
#define BROKER_COPENSSL_H

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* OpenSSL's typed stacks are macros, which Swift does not see. */

static inline STACK_OF(X509) *broker_x509_stack_new(void) { return sk_X509_new_null(); }
static inline int broker_x509_stack_push(STACK_OF(X509) *stack, X509 *certificate) {
    return sk_X509_push(stack, certificate);
}
/* Frees the stack alone; the certificates stay with their owners. */
static inline void broker_x509_stack_free(STACK_OF(X509) *stack) { sk_X509_free(stack); }

static inline EXTENDED_KEY_USAGE *broker_key_purposes_new(void) { return sk_ASN1_OBJECT_new_null(); }
static inline int broker_key_purposes_push(EXTENDED_KEY_USAGE *purposes, ASN1_OBJECT *purpose) {
    return sk_ASN1_OBJECT_push(purposes, purpose);
}
static inline int broker_key_purposes_count(const EXTENDED_KEY_USAGE *purposes) {
    return sk_ASN1_OBJECT_num(purposes);
}
static inline const ASN1_OBJECT *broker_key_purposes_at(const EXTENDED_KEY_USAGE *purposes, int index) {
    return sk_ASN1_OBJECT_value(purposes, index);
}

static inline int broker_general_names_push(GENERAL_NAMES *names, GENERAL_NAME *name) {
    return sk_GENERAL_NAME_push(names, name);
}

static inline int broker_general_names_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
static inline const GENERAL_NAME *broker_general_names_at(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}

static inline int broker_store_count(X509_STORE *store) { return sk_X509_OBJECT_num(X509_STORE_get0_objects(store)); }

static inline int broker_sequence_count(const ASN1_SEQUENCE_ANY *sequence) { return sk_ASN1_TYPE_num(sequence); }
static inline int broker_sequence_type(const ASN1_SEQUENCE_ANY *sequence, int index) {
    return ASN1_TYPE_get(sk_ASN1_TYPE_value(sequence, index));
}
static inline void broker_sequence_free(ASN1_SEQUENCE_ANY *sequence) { sk_ASN1_TYPE_pop_free(sequence, ASN1_TYPE_free); }

/* The content of a memory BIO: its length, and its start, which belongs to the BIO. */
static inline long broker_bio_memory(BIO *memory, char **start) { return BIO_get_mem_data(memory, start); }

/* Macros made of other macros. */
static const unsigned long broker_name_flags_rfc2253 = XN_FLAG_RFC2253;
static const int broker_utf8_string = MBSTRING_UTF8;

#endif
