// The system calls of a process that turns bytes into other bytes: memory, threads, time, and its one channel.
//
// Everything else is refused with EPERM, which libraries take for an ordinary failure and get round. Calls that no media
// library has a use for end the process (SIGSYS), because whoever makes one is no longer the program that was started.
// Source: seccomp(2); Documentation/userspace-api/seccomp_filter.rst of the kernel.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef OWN_ARCHITECTURE

enum { MOST_INSTRUCTIONS = 512 };

typedef struct {
    struct sock_filter code[MOST_INSTRUCTIONS];
    unsigned short count;
} program;

static void emit(program *to, unsigned short code, unsigned char yes, unsigned char no, unsigned int value) {
    // Reached only by a mistake in this file; a filter without its end is refused by the kernel.
    if (to->count < MOST_INSTRUCTIONS) to->code[to->count++] = (struct sock_filter){code, yes, no, value};
}

static const unsigned int allow = SECCOMP_RET_ALLOW;
static const unsigned int refuse = SECCOMP_RET_ERRNO | EPERM;
static const unsigned int absent = SECCOMP_RET_ERRNO | ENOSYS;
static const unsigned int end = SECCOMP_RET_KILL_PROCESS;

static void load(program *to, size_t offset) { emit(to, BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned int)offset); }
static void answer(program *to, unsigned int action) { emit(to, BPF_RET | BPF_K, 0, 0, action); }

// A block is what is asked about one call. It is jumped over, with the call's number still loaded, for every other
// call, and always ends in an answer.

static unsigned short begin_call(program *to, unsigned int call) {
    emit(to, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, call);
    return to->count;
}

static void end_call(program *to, unsigned short start, unsigned int action) {
    answer(to, action);
    to->code[start - 1].jf = (unsigned char)(to->count - start);
}

static void always(program *to, unsigned int call, unsigned int action) {
    end_call(to, begin_call(to, call), action);
}

// Both architectures are little-endian: the low half of an argument comes first.
static size_t low_half(unsigned int argument) { return offsetof(struct seccomp_data, args) + 8 * argument; }
static size_t high_half(unsigned int argument) { return low_half(argument) + 4; }

/// Inside a block: refuses unless the bits of `mask` in the argument's low half are `value`.
static void require(program *to, size_t half, unsigned int mask, unsigned int value) {
    load(to, half);
    if (mask != ~0u) emit(to, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
    emit(to, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);
    answer(to, refuse);
}

/// Inside a block: refuses when all bits of `mask` are set.
static void forbid(program *to, size_t half, unsigned int mask) {
    load(to, half);
    emit(to, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
    emit(to, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, mask);
    answer(to, refuse);
}

/// Inside a block: allows when the argument's low half is `value`.
static void allow_if(program *to, size_t half, unsigned int value) {
    load(to, half);
    emit(to, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
    answer(to, allow);
}

// MARK: The calls

/// Harmless whatever their arguments: they reach no further than the process's own memory and open descriptors.
static const unsigned int harmless[] = {
    // First what a job makes most of: the filter is read from the top.
    SYS_futex, SYS_read, SYS_write, SYS_clock_gettime, SYS_madvise, SYS_munmap, SYS_brk, SYS_mremap,
    SYS_sched_yield, SYS_readv, SYS_writev, SYS_close, SYS_fstat, SYS_lseek, SYS_ppoll, SYS_getrandom, SYS_gettid,
    SYS_getpid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_clock_getres, SYS_clock_nanosleep,
    SYS_nanosleep, SYS_gettimeofday, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack,
    SYS_restart_syscall, SYS_set_robust_list, SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler,
    SYS_sched_get_priority_max, SYS_sched_get_priority_min, SYS_getrusage, SYS_times, SYS_sysinfo, SYS_getcpu,
    SYS_membarrier, SYS_exit, SYS_exit_group,
#ifdef SYS_rseq
    SYS_rseq,
#endif
#ifdef SYS_poll
    SYS_poll,
#endif
#ifdef SYS_time
    SYS_time,
#endif
};

/// Running programs, reaching into others, changing what the system is: an attack, whatever their arguments.
static const unsigned int hostile[] = {
    SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_bpf, SYS_perf_event_open,
    SYS_userfaultfd, SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_init_module,
    SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_add_key,
    SYS_request_key, SYS_keyctl, SYS_open_by_handle_at, SYS_settimeofday, SYS_clock_settime, SYS_sethostname,
    // io_uring makes calls that no filter sees. Numbers are the same on all architectures from 424 on.
    425, 426, 427,
    // open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, pidfd_open, pidfd_getfd, mount_setattr
    428, 429, 430, 431, 432, 433, 434, 438, 442,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
    SYS_iopl, SYS_ioperm,
#endif
};

/// What pthread_create asks for; anything less is a process. Source: clone(2), CLONE_THREAD.
static const unsigned int thread_flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;

static void calls_by_argument(program *to) {
    unsigned short start = begin_call(to, SYS_mmap);
    // Private memory only: shared memory could hide from the count of resident pages, as huge pages do.
    require(to, low_half(3), 0x0f, MAP_PRIVATE);
    forbid(to, low_half(3), MAP_HUGETLB);
    // libswscale makes code, but in two steps.
    forbid(to, low_half(2), PROT_WRITE | PROT_EXEC);
    end_call(to, start, allow);

    start = begin_call(to, SYS_mprotect);
    forbid(to, low_half(2), PROT_WRITE | PROT_EXEC);
    end_call(to, start, allow);

    start = begin_call(to, SYS_clone);
    require(to, low_half(0), thread_flags, thread_flags);
    require(to, low_half(0), CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER
                                 | CLONE_NEWPID | CLONE_NEWNET | CLONE_PTRACE | CLONE_PARENT, 0);
    end_call(to, start, allow);
    // Its flags are in memory, where a filter cannot look; glibc falls back to clone. Source: clone(2).
    always(to, 435, absent);

    // abort() and raise(), in this process only.
    start = begin_call(to, SYS_tgkill);
    require(to, low_half(0), ~0u, (unsigned int)getpid());
    end_call(to, start, allow);

    // Reading one's own limits.
    start = begin_call(to, SYS_prlimit64);
    require(to, low_half(0), ~0u, 0);
    require(to, low_half(2), ~0u, 0);
    require(to, high_half(2), ~0u, 0);
    end_call(to, start, allow);

    start = begin_call(to, SYS_prctl);
    allow_if(to, low_half(0), PR_SET_NAME);
    allow_if(to, low_half(0), PR_GET_NAME);
    end_call(to, start, refuse);

    start = begin_call(to, SYS_fcntl);
    allow_if(to, low_half(1), F_GETFD);
    allow_if(to, low_half(1), F_GETFL);
    end_call(to, start, refuse);
}

int rp_seccomp_install(void) {
    program filter = {.count = 0};
    load(&filter, offsetof(struct seccomp_data, arch));
    // Another architecture's calls (int 0x80) have other numbers.
    emit(&filter, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, OWN_ARCHITECTURE);
    answer(&filter, end);
    load(&filter, offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
    // x32's calls: the same architecture, bit 30 set in the number.
    emit(&filter, BPF_JMP | BPF_JGE | BPF_K, 0, 1, 0x40000000u);
    answer(&filter, end);
#endif
    for (size_t index = 0; index < sizeof harmless / sizeof *harmless; index++)
        always(&filter, harmless[index], allow);
    calls_by_argument(&filter);
    for (size_t index = 0; index < sizeof hostile / sizeof *hostile; index++) always(&filter, hostile[index], end);
    answer(&filter, refuse);
    struct sock_fprog whole = {.len = filter.count, .filter = filter.code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole) == 0 ? 0 : -errno;
}

#else

int rp_seccomp_install(void) { return -ENOSYS; }

#endif
