#define _GNU_SOURCE
#include "CEscape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int result(long status) { return status < 0 ? errno : 0; }

static int open_path(const char *path, int flags) {
    int file = open(path, flags, 0600);
    int reason = result(file);
    if (file >= 0) close(file);
    return reason;
}

static int of_victim(int32_t victim, const char *what, int flags) {
    char path[64] = "/proc/";
    char digits[16];
    int length = 0;
    for (int32_t rest = victim; rest > 0 && length < 15; rest /= 10) digits[length++] = (char)('0' + rest % 10);
    size_t end = strlen(path);
    while (length > 0) path[end++] = digits[--length];
    path[end] = '/';
    strcpy(path + end + 1, what);
    return open_path(path, flags);
}

static int start_process(long flags) {
    long child = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
    if (child == 0) _exit(0);
    return result(child);
}

static int new_socket(int family, int type) {
    int made = socket(family, type, 0);
    int reason = result(made);
    if (made >= 0) close(made);
    return reason;
}

/// Without a socket call that works there is only the channel to misuse.
static int connect_channel(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return result(connect(3, (struct sockaddr *)&address, sizeof address));
}

static int pass_descriptor(void) {
    char byte = 0;
    struct iovec part = {&byte, 1};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    return result(sendmsg(3, &message, MSG_DONTWAIT));
}

static int map(int protection, int flags) {
    void *memory = mmap(NULL, 4096, protection, flags, -1, 0);
    return memory == MAP_FAILED ? errno : 0;
}

static int make_executable_while_writable(void) {
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return errno;
    return result(mprotect(memory, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
}

static int raise_limit(int resource) {
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    return result(prlimit(0, resource, &limit, NULL));
}

int escape_attempt(const char *name, int32_t victim) {
#define IS(text) (strcmp(name, text) == 0)
    char *const nothing[] = {NULL};
    char *const shell[] = {"/bin/sh", "-c", "true", NULL};
    errno = 0;
    // Files.
    if (IS("open")) return open_path("/etc/passwd", O_RDONLY);
    if (IS("open-write")) return open_path("/tmp/reelpool-escaped", O_WRONLY | O_CREAT);
    if (IS("openat2")) {
        uint64_t how[3] = {O_RDONLY, 0, 0};
        return result(syscall(437, AT_FDCWD, "/etc/passwd", how, sizeof how));
    }
    if (IS("open-tmpfile")) return open_path("/tmp", O_TMPFILE | O_RDWR);
    if (IS("creat")) return result(syscall(SYS_openat, AT_FDCWD, "/dev/shm/reelpool-escaped", O_CREAT | O_RDWR, 0600));
    if (IS("proc-own-memory")) return open_path("/proc/self/mem", O_RDWR);
    if (IS("proc-environ")) return open_path("/proc/self/environ", O_RDONLY);
    if (IS("victim-memory")) return of_victim(victim, "mem", O_RDWR);
    if (IS("victim-environ")) return of_victim(victim, "environ", O_RDONLY);
    if (IS("stat")) {
        struct stat status;
        return result(stat("/etc/passwd", &status));
    }
    if (IS("access")) return result(access("/etc/passwd", F_OK));
    if (IS("readlink")) {
        char link[64];
        return result(readlink("/proc/self/exe", link, sizeof link));
    }
    if (IS("getcwd")) {
        char folder[256];
        return getcwd(folder, sizeof folder) ? 0 : errno;
    }
    if (IS("chdir")) return result(chdir("/"));
    if (IS("mkdir")) return result(mkdir("/tmp/reelpool-escaped", 0700));
    if (IS("unlink")) return result(unlink("/tmp/reelpool-escaped"));
    if (IS("rename")) return result(rename("/tmp/reelpool-escaped", "/tmp/reelpool-escaped-2"));
    if (IS("chroot")) return result(chroot("/"));
    if (IS("write-null-device")) return result(pwrite(1, "x", 1, 0));
    if (IS("truncate-channel")) return result(ftruncate(3, 1));
    // Network.
    if (IS("socket-inet")) return new_socket(AF_INET, SOCK_STREAM);
    if (IS("socket-inet6")) return new_socket(AF_INET6, SOCK_DGRAM);
    if (IS("socket-unix")) return new_socket(AF_UNIX, SOCK_STREAM);
    if (IS("socket-netlink")) return new_socket(AF_NETLINK, SOCK_RAW);
    if (IS("socket-packet")) return new_socket(AF_PACKET, SOCK_RAW);
    if (IS("socketpair")) {
        int pair[2];
        return result(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    }
    if (IS("connect-channel")) return connect_channel();
    if (IS("pass-descriptor")) return pass_descriptor();
    if (IS("take-descriptor")) {
        char byte;
        struct iovec part = {&byte, 1};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        return result(recvmsg(3, &message, MSG_DONTWAIT));
    }
    // Programs and processes.
    if (IS("execve")) return result(execve("/bin/true", nothing, nothing));
    if (IS("execveat")) return result(syscall(SYS_execveat, AT_FDCWD, "/bin/true", nothing, nothing, 0));
    if (IS("system")) return result(execv(shell[0], shell));
    if (IS("fork")) return start_process(SIGCHLD);
    if (IS("vfork")) return start_process(CLONE_VM | CLONE_VFORK | SIGCHLD);
    if (IS("clone-parent")) return start_process(CLONE_PARENT | SIGCHLD);
    if (IS("clone-newuser")) return start_process(CLONE_NEWUSER | SIGCHLD);
    if (IS("clone3")) {
        uint64_t arguments[11] = {0};
        arguments[4] = SIGCHLD;
        long child = syscall(SYS_clone3, arguments, sizeof arguments);
        if (child == 0) _exit(0);
        return result(child);
    }
    if (IS("kill-victim")) return result(kill(victim, SIGKILL));
    if (IS("signal-victim")) return result(kill(victim, 0));
    if (IS("kill-all")) return result(kill(-1, SIGKILL));
    if (IS("tgkill-victim")) return result(syscall(SYS_tgkill, victim, victim, SIGKILL));
    if (IS("sigqueue-victim")) {
        union sigval value = {0};
        return result(sigqueue(victim, SIGKILL, value));
    }
    if (IS("ptrace-victim")) return result(ptrace(PTRACE_ATTACH, victim, NULL, NULL));
    if (IS("process-vm-read")) {
        char byte;
        struct iovec here = {&byte, 1}, there = {(void *)environ, 1};
        return result(process_vm_readv(victim, &here, 1, &there, 1, 0));
    }
    if (IS("pidfd-open")) return result(syscall(434, victim, 0));
    if (IS("setpgid")) return result(setpgid(0, victim));
    if (IS("setsid")) return result(setsid());
    if (IS("nice-victim")) return result(setpriority(PRIO_PROCESS, (id_t)victim, 19));
    if (IS("limit-victim")) {
        struct rlimit limit = {0, 0};
        return result(prlimit(victim, RLIMIT_NOFILE, &limit, NULL));
    }
    if (IS("schedule-realtime")) {
        struct sched_param priority = {.sched_priority = 1};
        return result(sched_setscheduler(0, SCHED_FIFO, &priority));
    }
    // Memory that hides.
    if (IS("memfd")) return result(memfd_create("escape", 0));
    if (IS("shared-memory")) return map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
    if (IS("huge-pages")) return map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB);
    if (IS("shmget")) return result(syscall(SYS_shmget, 0, 4096, 01600));
    if (IS("writable-code")) return map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS);
    if (IS("writable-code-later")) return make_executable_while_writable();
    if (IS("lock-memory")) return result(mlockall(MCL_CURRENT));
    if (IS("raise-fsize")) return raise_limit(RLIMIT_FSIZE);
    if (IS("raise-files")) return raise_limit(RLIMIT_NOFILE);
    if (IS("pipe")) {
        int pair[2];
        return result(pipe(pair));
    }
    if (IS("eventfd")) return result(syscall(SYS_eventfd2, 0, 0));
    if (IS("dup")) return result(dup(3));
    // The kernel.
    if (IS("io_uring")) {
        char parameters[120] = {0};
        return result(syscall(425, 1, parameters));
    }
    if (IS("unshare")) return result(unshare(CLONE_NEWUSER));
    if (IS("setns")) return result(setns(3, 0));
    if (IS("mount")) return result(syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL));
    if (IS("bpf")) return result(syscall(SYS_bpf, 0, NULL, 0));
    if (IS("perf")) return result(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
    if (IS("userfaultfd")) return result(syscall(SYS_userfaultfd, 0));
    if (IS("keyctl")) return result(syscall(SYS_keyctl, 0, 0));
    if (IS("seccomp-again")) return result(prctl(PR_SET_SECCOMP, 2, NULL));
    if (IS("undeath")) return result(prctl(PR_SET_PDEATHSIG, 0));
    if (IS("dumpable")) return result(prctl(PR_SET_DUMPABLE, 1));
    if (IS("setuid-root")) return result(syscall(SYS_setresuid, 0, 0, 0));
    if (IS("capset")) {
        uint32_t header[2] = {0x20080522, 0}, all[6] = {~0u, ~0u, ~0u, ~0u, ~0u, ~0u};
        return result(syscall(SYS_capset, header, all));
    }
    if (IS("set-clock")) {
        struct timespec time = {0};
        return result(clock_settime(CLOCK_REALTIME, &time));
    }
#if defined(__x86_64__)
    if (IS("int80")) {
        // getpid by the 32-bit numbers, which a filter of 64-bit numbers takes for another call.
        long answer = 20;
        __asm__ volatile("int $0x80" : "+a"(answer) : : "memory");
        return answer < 0 ? (int)-answer : 0;
    }
    if (IS("x32")) return result(syscall(0x40000000 + 39));
#endif
    return -1;
#undef IS
}

void escape_crash(const char *name) {
    if (strcmp(name, "segv") == 0) *(volatile int *)8 = 1;
    if (strcmp(name, "abort") == 0) abort();
    if (strcmp(name, "ill") == 0) __builtin_trap();
    if (strcmp(name, "bus") == 0) syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), SIGBUS);
    _exit(3);
}

int escape_fill_memory(int64_t bytes) {
    for (int64_t done = 0; done < bytes; done += 1 << 20) {
        char *part = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (part == MAP_FAILED) return errno;
        memset(part, 1, 1 << 20);
    }
    return 0;
}

static void *sleep_for_ever(void *unused) {
    for (;;) sleep(1000);
    return unused;
}

int escape_fill_threads(int most) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    int count = 0;
    pthread_t thread;
    while (count < most && pthread_create(&thread, &attributes, sleep_for_ever, NULL) == 0) count++;
    return count;
}

int escape_send_raw(int descriptor, const void *bytes, int count) {
    return (int)write(descriptor, bytes, (size_t)count);
}

void escape_sleep_for_ever(void) { sleep_for_ever(NULL); }

uint64_t escape_open_descriptors(void) {
    uint64_t open = 0;
    for (int descriptor = 0; descriptor < 64; descriptor++)
        if (fcntl(descriptor, F_GETFD) >= 0) open |= (uint64_t)1 << descriptor;
    return open;
}

int escape_environment_count(void) {
    int count = 0;
    while (environ && environ[count]) count++;
    return count;
}
