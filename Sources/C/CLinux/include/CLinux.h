// What Linux offers for keeping a process apart and Swift cannot call: raw clone, seccomp, Landlock, passing
// descriptors. Only the Swift target Isolation imports this. Functions return a negative errno on failure unless said
// otherwise, and allocate nothing.
#ifndef REELPOOL_CLINUX_H
#define REELPOOL_CLINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: Descriptors

/// A connected pair of sockets that keep messages apart. Source: unix(7), SOCK_SEQPACKET.
int rp_socket_pair(int *first, int *second);
/// Shared memory of a fixed size: whoever holds it can neither shrink nor grow it. Source: memfd_create(2), fcntl(2).
int rp_shared_memory(size_t bytes);
/// Maps such memory; NULL on failure.
void *rp_map_shared(int descriptor, size_t bytes);
void rp_unmap(void *memory, size_t bytes);
/// Sends one message with up to `RP_MOST_DESCRIPTORS` descriptors. Never raises SIGPIPE.
ssize_t rp_send(int socket, const void *bytes, size_t count, const int *descriptors, int descriptor_count);
/// Sends without waiting: -EAGAIN when the peer does not take what it was sent before.
ssize_t rp_send_at_once(int socket, const void *bytes, size_t count);
/// Receives one message; a longer one than `capacity` is -EMSGSIZE, the end of the stream is 0. `descriptors` holds
/// RP_MOST_DESCRIPTORS; those that come are close-on-exec.
ssize_t rp_receive(int socket, void *bytes, size_t capacity, int *descriptors, int *descriptor_count);
/// Receiving fails with -EAGAIN after this long; 0 waits for ever.
int rp_receive_timeout(int socket, int milliseconds);

enum { RP_MOST_DESCRIPTORS = 4 };

// MARK: Threads

/// Runs `body` on a new thread and waits for its end.
int rp_thread_run(void (*body)(void *context), void *context, size_t stack_bytes);
/// Runs `body` on a new thread that nobody waits for.
int rp_thread_start(void (*body)(void *context), void *context, size_t stack_bytes);
/// Threads of this process, from /proc.
int rp_thread_count(void);

// MARK: Processes

/// Starts a program with only these descriptors: 0 and 1 are /dev/null, 2 is the caller's, 3 is `channel`.
/// Own process group, default signal handling, nothing inherited but what `arguments` and `environment` say.
pid_t rp_spawn(const char *path, char *const arguments[], char *const environment[], int channel);

typedef struct {
    /// 0 when the process exited by itself.
    int signal;
    int status;
    double cpu_seconds;
    int64_t peak_resident_bytes;
} rp_exit;

/// Waits for one child, and for no other.
int rp_reap(pid_t child, rp_exit *result);
/// Kills a process, and the group that it leads if it does.
void rp_kill(pid_t process, bool group);
/// Makes this process die with the thread that started it. -ESRCH when that is gone already.
int rp_die_with_parent(pid_t parent);
/// Makes this process and all it forks the first that a system short of memory kills.
int rp_die_first_without_memory(void);

// MARK: Sandbox

enum {
    RP_SANDBOX_NO_NEW_PRIVILEGES = 1 << 0,
    RP_SANDBOX_SECCOMP = 1 << 1,
    RP_SANDBOX_LANDLOCK = 1 << 2,
    RP_SANDBOX_DIES_WITH_PARENT = 1 << 3,
    RP_SANDBOX_LIMITS = 1 << 4,
    RP_SANDBOX_NOT_DUMPABLE = 1 << 5,
    RP_SANDBOX_UNPRIVILEGED = 1 << 6,
    RP_SANDBOX_OWN_GROUP = 1 << 7,
    RP_SANDBOX_DESCRIPTORS_CLOSED = 1 << 8,
    RP_SANDBOX_EMPTY_ENVIRONMENT = 1 << 9,
};

typedef struct {
    /// What was done, as bits above.
    uint32_t applied;
    /// 0 where the kernel has none. Source: landlock(7).
    int32_t landlock_abi;
    uint64_t nanoseconds;
} rp_sandbox_report;

/// Shuts the calling process in, for good. Call it while there is one thread. Keeps descriptors 0, 1, 2 and `channel`,
/// which becomes 3; 0, 1 and 2 become /dev/null when `null_device` is one.
/// `parent` is who it is to die with; `cpu_seconds` is a backstop, 0 for none.
void rp_sandbox_enter(int channel, int null_device, pid_t parent, uint64_t cpu_seconds, rp_sandbox_report *report);

/// Refuses every file, TCP port, abstract socket and signal across the domain's border that the kernel's Landlock can
/// refuse. Returns the ABI; 0 where there is none.
int rp_landlock_refuse_all(void);
/// Lets through the system calls that media libraries need and refuses all others.
int rp_seccomp_install(void);

/// Gives memory back that was freed: later allocations find zeros, as in a fresh process, and a fork has less to copy.
void rp_trim_memory(void);

// MARK: Template

typedef struct {
    int channel;
    void *memory;
    size_t memory_bytes;
    rp_sandbox_report report;
} rp_child;

/// What the daemon sends for each child, with its channel and its shared memory.
typedef struct {
    uint32_t version;
    uint32_t reserved;
    uint64_t cpu_seconds;
} rp_fork_request;

enum { RP_FORK_VERSION = 1 };

/// Forks a child for each request until the channel closes. The caller must have a single thread.
///
/// Returns 0 when the channel closed, 1 in a child, which is shut in already. The children belong to this process's
/// parent (CLONE_PARENT), which is told each one's id, or a negative errno.
int rp_template_serve(int channel, rp_child *child);

#endif
