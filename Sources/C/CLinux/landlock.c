#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

// Numbers and bits as in linux/landlock.h; spelt out because the headers installed may be older than the kernel.
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

typedef struct {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
} ruleset_attributes;

enum {
    CREATE_RULESET_VERSION = 1,
    // The 13 rights of ABI 1: execute, write and read files, read folders, remove and make entries.
    FS_FIRST = (1 << 13) - 1,
    FS_REFER = 1 << 13,
    FS_TRUNCATE = 1 << 14,
    FS_IOCTL_DEV = 1 << 15,
    NET_BIND_AND_CONNECT_TCP = 3,
    SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 3,
};

int rp_landlock_refuse_all(void) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    if (abi < 1) return 0;
    ruleset_attributes wanted = {.handled_access_fs = FS_FIRST};
    size_t size = sizeof wanted.handled_access_fs;
    if (abi >= 2) wanted.handled_access_fs |= FS_REFER;
    if (abi >= 3) wanted.handled_access_fs |= FS_TRUNCATE;
    if (abi >= 5) wanted.handled_access_fs |= FS_IOCTL_DEV;
    if (abi >= 4) {
        wanted.handled_access_net = NET_BIND_AND_CONNECT_TCP;
        size = offsetof(ruleset_attributes, scoped);
    }
    if (abi >= 6) {
        wanted.scoped = SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS;
        size = sizeof wanted;
    }
    long ruleset = syscall(SYS_landlock_create_ruleset, &wanted, size, 0);
    if (ruleset < 0) return -errno;
    // No rule is added: what is handled is refused everywhere.
    long status = syscall(SYS_landlock_restrict_self, (int)ruleset, 0);
    int reason = errno;
    close((int)ruleset);
    return status == 0 ? (int)abi : -reason;
}
