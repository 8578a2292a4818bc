#define _GNU_SOURCE
#include "CCurlShims.h"
#include "WipingAllocator.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

CURLcode broker_curl_initialise(void) {
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, broker_wiping_free, broker_wiping_realloc, strdup, calloc);
}

// curl.h numbers the options by type: base + n, with bases 10000 apart.
static bool has_type(CURLoption option, long base) { return (long)option >= base && (long)option < base + 10000; }

CURLcode broker_curl_set_long(CURL *easy, CURLoption option, long value) {
    return has_type(option, CURLOPTTYPE_LONG) ? curl_easy_setopt(easy, option, value) : CURLE_UNKNOWN_OPTION;
}

CURLcode broker_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return has_type(option, CURLOPTTYPE_OFF_T) ? curl_easy_setopt(easy, option, value) : CURLE_UNKNOWN_OPTION;
}

CURLcode broker_curl_set_string(CURL *easy, CURLoption option, const char *value) {
    return has_type(option, CURLOPTTYPE_STRINGPOINT) ? curl_easy_setopt(easy, option, value) : CURLE_UNKNOWN_OPTION;
}

CURLcode broker_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return has_type(option, CURLOPTTYPE_OBJECTPOINT) ? curl_easy_setopt(easy, option, value) : CURLE_UNKNOWN_OPTION;
}

CURLcode broker_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return has_type(option, CURLOPTTYPE_SLISTPOINT) ? curl_easy_setopt(easy, option, value) : CURLE_UNKNOWN_OPTION;
}

CURLcode broker_curl_set_receive(CURL *easy, CURLoption option, broker_curl_receive function) {
    return has_type(option, CURLOPTTYPE_FUNCTIONPOINT) ? curl_easy_setopt(easy, option, function)
                                                       : CURLE_UNKNOWN_OPTION;
}

// Called by libcurl for each TLS connection, also to a proxy, before the handshake.
static CURLcode use_store(CURL *easy, void *context, void *store) {
    (void)easy;
    SSL_CTX_set1_cert_store(context, store);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    return CURLE_OK;
}

CURLcode broker_curl_set_trust(CURL *easy, void *store) {
    // Another library, or another OpenSSL, would take the store for something else.
    const char *library = curl_version_info(CURLVERSION_NOW)->ssl_version;
    if (store == NULL || library == NULL || strncmp(library, "OpenSSL/3.", 10) != 0) return CURLE_NOT_BUILT_IN;
    // No authorities of libcurl's own, whose parsing takes longer than the handshake.
    static const CURLoption own[] = {CURLOPT_CAINFO, CURLOPT_CAPATH, CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH};
    for (size_t index = 0; index < sizeof own / sizeof own[0]; index++) {
        CURLcode code = curl_easy_setopt(easy, own[index], NULL);
        if (code != CURLE_OK) return code;
    }
    CURLcode code = curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, store);
    return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, use_store) : code;
}

CURLcode broker_curl_abandon_lookups(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075700
    return curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#else
    (void)easy;
    return CURLE_OK;
#endif
}

CURLcode broker_curl_get_long(CURL *easy, CURLINFO info, long *value) {
    return (info & CURLINFO_TYPEMASK) == CURLINFO_LONG ? curl_easy_getinfo(easy, info, value) : CURLE_UNKNOWN_OPTION;
}

CURLcode broker_curl_get_pointer(CURL *easy, CURLINFO info, void **value) {
    return (info & CURLINFO_TYPEMASK) == CURLINFO_STRING ? curl_easy_getinfo(easy, info, value) : CURLE_UNKNOWN_OPTION;
}

CURLcode broker_curl_get_string(CURL *easy, CURLINFO info, const char **value) {
    return (info & CURLINFO_TYPEMASK) == CURLINFO_STRING ? curl_easy_getinfo(easy, info, value) : CURLE_UNKNOWN_OPTION;
}

CURLMcode broker_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return (long)option < 10000 ? curl_multi_setopt(multi, option, value) : CURLM_UNKNOWN_OPTION;
}

CURLSH *broker_curl_share_sessions(void) {
    CURLSH *share = curl_share_init();
    if (share != NULL && curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) {
        curl_share_cleanup(share);
        return NULL;
    }
    return share;
}

void broker_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
