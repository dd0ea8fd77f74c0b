#ifndef REELPOOL_CCURL_H
#define REELPOOL_CCURL_H

#include <curl/curl.h>

#if LIBCURL_VERSION_NUM < 0x075700
#error "libcurl 7.87 or later is needed"
#endif

#endif
