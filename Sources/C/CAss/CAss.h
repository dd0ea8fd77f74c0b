#ifndef REELPOOL_CASS_H
#define REELPOOL_CASS_H

#include <ass/ass.h>

#if LIBASS_VERSION < 0x01700000
#error "libass 0.17 or later is needed"
#endif

#endif
