#ifndef REELPOOL_CCURL_SHIMS_H
#define REELPOOL_CCURL_SHIMS_H

#include "../../CCurl/CCurl.h"

/* libcurl's functions for options and answers take a variable number of arguments, which Swift cannot call: one here
 * for each type of argument. */
CURLcode rp_curl_set_long(CURL *easy, CURLoption option, long value);
CURLcode rp_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value);
CURLcode rp_curl_set_text(CURL *easy, CURLoption option, const char *value);
CURLcode rp_curl_set_data(CURL *easy, CURLoption option, void *value);
CURLcode rp_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value);
CURLcode rp_curl_set_share(CURL *easy, CURLSH *share);

/* For CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION. */
CURLcode rp_curl_set_writer(CURL *easy, CURLoption option, curl_write_callback function);
CURLcode rp_curl_set_reader(CURL *easy, curl_read_callback function);
CURLcode rp_curl_set_seeker(CURL *easy, curl_seek_callback function);
CURLcode rp_curl_set_socket_opener(CURL *easy, curl_opensocket_callback function);

/* 0 where there is none. */
curl_off_t rp_curl_get_offset(CURL *easy, CURLINFO info);
long rp_curl_get_long(CURL *easy, CURLINFO info);

CURLMcode rp_curl_multi_set_long(CURLM *multi, CURLMoption option, long value);

/* Names and TLS sessions for handles of several threads, with the locks that takes. libcurl does not allow threads to
 * share connections. NULL when memory is short. */
typedef struct rp_curl_share rp_curl_share;
rp_curl_share *rp_curl_share_create(void);
CURLSH *rp_curl_share_handle(rp_curl_share *share);
/* After the last easy handle that uses it. */
void rp_curl_share_destroy(rp_curl_share *share);

#endif
