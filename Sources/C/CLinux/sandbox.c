#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    // "nobody" on every distribution.
    NOBODY = 65534,
    CHANNEL = 3,
    // 0 to 3 are open, and nothing can open another.
    MOST_DESCRIPTORS = 8,
    // All threads of the user count; a backstop far above what encoders start.
    MOST_THREADS = 8192,
};

static bool limit(int resource, rlim_t most) {
    struct rlimit now;
    if (getrlimit(resource, &now) != 0) return false;
    if (now.rlim_max < most) most = now.rlim_max;
    struct rlimit value = {.rlim_cur = most, .rlim_max = most};
    return setrlimit(resource, &value) == 0;
}

static bool set_limits(uint64_t cpu_seconds) {
    // No file can be written, no core dumped, no memory locked, no message queue filled.
    bool done = limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_MEMLOCK, 0)
        && limit(RLIMIT_MSGQUEUE, 0) && limit(RLIMIT_NOFILE, MOST_DESCRIPTORS) && limit(RLIMIT_NPROC, MOST_THREADS);
    if (cpu_seconds > 0) done = limit(RLIMIT_CPU, cpu_seconds) && done;
    return done;
}

/// Leaves root where this is root, and drops every capability.
static bool drop_privileges(void) {
    if (geteuid() == 0) {
        // In this order: the last takes away the right to do the others. Fails in user namespaces without a nobody.
        if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0
            || setresuid(NOBODY, NOBODY, NOBODY) != 0)
            return false;
    }
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};
    return syscall(SYS_capset, &header, none) == 0 && geteuid() != 0;
}

static bool close_others(int channel, int null_device) {
    if (null_device >= 0)
        for (int stream = 0; stream <= 2; stream++)
            if (dup2(null_device, stream) < 0) return false;
    if (channel != CHANNEL && dup2(channel, CHANNEL) < 0) return false;
    // Source: close_range(2), Linux 5.9.
    if (syscall(SYS_close_range, CHANNEL + 1, ~0u, 0) == 0) return true;
    struct rlimit most;
    if (getrlimit(RLIMIT_NOFILE, &most) != 0) return false;
    for (rlim_t descriptor = CHANNEL + 1; descriptor < most.rlim_cur && descriptor < 65536; descriptor++)
        close((int)descriptor);
    return true;
}

static void default_signals(void) {
    for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void rp_sandbox_enter(int channel, int null_device, pid_t parent, uint64_t cpu_seconds, rp_sandbox_report *report) {
    uint64_t started = now();
    *report = (rp_sandbox_report){.applied = 0};
    uint32_t applied = 0;
    default_signals();
    if (setpgid(0, 0) == 0) applied |= RP_SANDBOX_OWN_GROUP;
    if (close_others(channel, null_device)) applied |= RP_SANDBOX_DESCRIPTORS_CLOSED;
    if (clearenv() == 0) applied |= RP_SANDBOX_EMPTY_ENVIRONMENT;
    if (set_limits(cpu_seconds)) applied |= RP_SANDBOX_LIMITS;
    if (drop_privileges()) applied |= RP_SANDBOX_UNPRIVILEGED;
    // After the change of user, which clears both. Source: prctl(2).
    int fate = rp_die_with_parent(parent);
    if (fate == -ESRCH) _exit(1);
    if (fate == 0) applied |= RP_SANDBOX_DIES_WITH_PARENT;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0) applied |= RP_SANDBOX_NOT_DUMPABLE;
    // Both walls need this when the process is not root.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) applied |= RP_SANDBOX_NO_NEW_PRIVILEGES;
    int abi = rp_landlock_refuse_all();
    if (abi > 0) {
        applied |= RP_SANDBOX_LANDLOCK;
        report->landlock_abi = abi;
    }
    if (rp_seccomp_install() == 0) applied |= RP_SANDBOX_SECCOMP;
    report->applied = applied;
    report->nanoseconds = now() - started;
}
