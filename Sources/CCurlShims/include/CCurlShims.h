#ifndef BROKER_CCURLSHIMS_H
#define BROKER_CCURLSHIMS_H

#include <stddef.h>
#include <curl/curl.h>

// Swift does not import variadic functions. Each function here takes one type of value and refuses an option of another type with
// CURLE_UNKNOWN_OPTION, because libcurl would read the wrong argument.

/// Receives `size * count` bytes and returns how many it took; any other number ends the transfer.
typedef size_t (*broker_curl_receive)(char *bytes, size_t size, size_t count, void *context);

/// curl_global_init with memory that is overwritten when libcurl gives it back: its requests carry bearer tokens, and keys on their way
/// into a store.
CURLcode broker_curl_initialise(void);

CURLcode broker_curl_set_long(CURL *easy, CURLoption option, long value);
CURLcode broker_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value);
CURLcode broker_curl_set_string(CURL *easy, CURLoption option, const char *value);
CURLcode broker_curl_set_pointer(CURL *easy, CURLoption option, void *value);
CURLcode broker_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value);
CURLcode broker_curl_set_receive(CURL *easy, CURLoption option, broker_curl_receive function);

/// Believes the authorities of OpenSSL's X509_STORE `store`, and an intermediate or a server's own certificate in it as well, and none
/// besides. The store must live as long as the connections. Fails where libcurl does not use OpenSSL.
CURLcode broker_curl_set_trust(CURL *easy, void *store);

/// Lets libcurl abandon a running name lookup instead of waiting for it (7.87 and later; no effect before).
CURLcode broker_curl_abandon_lookups(CURL *easy);

CURLcode broker_curl_get_long(CURL *easy, CURLINFO info, long *value);
CURLcode broker_curl_get_pointer(CURL *easy, CURLINFO info, void **value);
/// The text belongs to libcurl; NULL where there is none.
CURLcode broker_curl_get_string(CURL *easy, CURLINFO info, const char **value);

CURLMcode broker_curl_multi_set_long(CURLM *multi, CURLMoption option, long value);

/// Shares TLS sessions between the handles of one thread; NULL where memory runs out. Ends with curl_share_cleanup.
CURLSH *broker_curl_share_sessions(void);

// glibc shows this only where _GNU_SOURCE is defined, which Swift's module of it does not do.

/// Names the calling thread for `top -H` and debuggers; at most 15 bytes.
void broker_name_thread(const char *name);

#endif
