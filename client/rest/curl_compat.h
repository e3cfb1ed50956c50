/* libcurl's names that came after 7.74, the oldest that works. The numbers are part of its binary
 * interface: one that does not know an option says so when it is set, whatever it was compiled
 * with, and what is done instead stands where the option is set. */
#ifndef DS_REST_CURL_COMPAT_H
#define DS_REST_CURL_COMPAT_H

#include <curl/curl.h>

#if defined(LIBCURL_VERSION_NUM) && LIBCURL_VERSION_NUM < 0x074a00
#error "datasetfs needs libcurl 7.74 or newer"
#endif

#if LIBCURL_VERSION_NUM < 0x075000
#define CURLOPT_PREREQFUNCTION ((CURLoption)(CURLOPTTYPE_FUNCTIONPOINT + 312))
#define CURLOPT_PREREQDATA ((CURLoption)(CURLOPTTYPE_OBJECTPOINT + 313))
#define CURL_PREREQFUNC_OK 0
#define CURL_PREREQFUNC_ABORT 1
#endif

#if LIBCURL_VERSION_NUM < 0x075500
#define CURLOPT_PROTOCOLS_STR ((CURLoption)(CURLOPTTYPE_OBJECTPOINT + 318))
#endif
/* CURLOPT_PROTOCOLS, of which newer headers warn. */
#define CURLOPT_PROTOCOLS_BITS ((CURLoption)(CURLOPTTYPE_LONG + 181))

#if LIBCURL_VERSION_NUM < 0x075700
#define CURLOPT_CA_CACHE_TIMEOUT ((CURLoption)(CURLOPTTYPE_LONG + 321))
#define CURLOPT_QUICK_EXIT ((CURLoption)(CURLOPTTYPE_LONG + 322))
#endif

#endif
