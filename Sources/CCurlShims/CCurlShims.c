#define _GNU_SOURCE
#include "CCurlShims.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>

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

CURLcode broker_curl_set_blob(CURL *easy, CURLoption option, const void *bytes, size_t count) {
    if (!has_type(option, CURLOPTTYPE_BLOB)) return CURLE_UNKNOWN_OPTION;
    struct curl_blob blob = {.data = (void *)bytes, .len = count, .flags = CURL_BLOB_COPY};
    return curl_easy_setopt(easy, option, &blob);
}

CURLcode broker_curl_set_receive(CURL *easy, CURLoption option, broker_curl_receive function) {
    return has_type(option, CURLOPTTYPE_FUNCTIONPOINT) ? curl_easy_setopt(easy, option, function)
                                                       : CURLE_UNKNOWN_OPTION;
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

int broker_anonymous_file(const char *label) { return memfd_create(label, MFD_CLOEXEC); }

void broker_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
