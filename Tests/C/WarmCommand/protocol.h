/* What goes between warm.c and client.c: one request for each connection, and one answer. */
#ifndef REELPOOL_WARM_PROTOCOL_H
#define REELPOOL_WARM_PROTOCOL_H

#include <stdint.h>

/* With it come four descriptors: standard input, output and error, and the working directory. The strings follow, each
   with its zero. */
struct request {
    uint32_t argument_count;
    uint32_t variable_count;
    uint32_t bytes;
};

#define REQUEST_DESCRIPTORS 4

/* Text of all arguments and variables; the kernel's own limit for a program. */
#define REQUEST_MOST_BYTES (2u << 20)

/* Sent when the program has ended. Source: waitpid(2). */
struct answer {
    int32_t wait_status;
};

#endif
