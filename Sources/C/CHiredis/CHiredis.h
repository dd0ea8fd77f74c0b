#ifndef REELPOOL_CHIREDIS_H
#define REELPOOL_CHIREDIS_H

#include <hiredis/hiredis.h>

#endif
