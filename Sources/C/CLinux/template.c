// Forks job processes off a template that has everything loaded.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Where the C library keeps the calling thread's id: the address that the kernel was given for the main thread.
///
/// A clone made past the C library must renew that id, as fork() does, or locks that name their owner (priority
/// inheritance, error checking, robust) would name the template's thread.
/// Source: set_tid_address(2); PR_GET_TID_ADDRESS in prctl(2), with CONFIG_CHECKPOINT_RESTORE.
static pid_t *own_id_address(void) {
    pid_t *address = NULL;
    pid_t id = (pid_t)syscall(SYS_gettid);
    if (prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0) == 0 && address && *address == id) return address;
    // Kernels without that option: glibc keeps it within the thread's descriptor, which pthread_self() points to.
    pid_t *word = (pid_t *)pthread_self(), *found = NULL;
    for (int index = 0; index < 256; index++) {
        if (word[index] != id) continue;
        if (found) return NULL;
        found = &word[index];
    }
    return found;
}

/// clone(2) as fork() calls it, but for the parent: the new process is a brother, not a child.
static pid_t clone_brother(pid_t *id_address) {
    unsigned long flags = CLONE_PARENT | SIGCHLD;
    if (id_address) flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
#if defined(__x86_64__)
    long id = syscall(SYS_clone, flags, NULL, NULL, id_address, NULL);
#else
    long id = syscall(SYS_clone, flags, NULL, NULL, NULL, id_address);
#endif
    return id < 0 ? -errno : (pid_t)id;
}

/// In the new process, nothing but this file's code has run. Returns once it is shut in.
static int begin_child(const int descriptors[2], const rp_fork_request *request, pid_t parent, int null_device,
                       rp_child *child) {
    prctl(PR_SET_NAME, "reelpool-job", 0, 0, 0);
    struct stat status;
    if (fstat(descriptors[1], &status) != 0 || status.st_size <= 0) return -EINVAL;
    child->memory_bytes = (size_t)status.st_size;
    child->memory = rp_map_shared(descriptors[1], child->memory_bytes);
    if (!child->memory) return -ENOMEM;
    rp_sandbox_enter(descriptors[0], null_device, parent, request->cpu_seconds, &child->report);
    child->channel = 3;
    return 1;
}

int rp_template_serve(int channel, rp_child *child) {
    pid_t parent = getppid();
    int status = rp_die_with_parent(parent);
    if (status != 0) return status;
    // Not fatal: refused in some containers, and then not needed there.
    (void)rp_die_first_without_memory();
    rp_trim_memory();
    int null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_device < 0) return -errno;
    pid_t *id_address = own_id_address();
    void *robust_list = NULL;
    size_t robust_bytes = 0;
    bool has_robust_list = syscall(SYS_get_robust_list, 0, &robust_list, &robust_bytes) == 0;

    for (;;) {
        rp_fork_request request;
        int descriptors[RP_MOST_DESCRIPTORS], count = 0;
        ssize_t size = rp_receive(channel, &request, sizeof request, descriptors, &count);
        if (size == 0 || size == -ECONNRESET) return 0;
        if (size < 0) return (int)size;
        int32_t answer;
        if (size != sizeof request || request.version != RP_FORK_VERSION || count != 2) {
            answer = -EPROTO;
        } else {
            answer = clone_brother(id_address);
            if (answer == 0) {
                // What fork() would have done. Source: get_robust_list(2).
                if (has_robust_list) syscall(SYS_set_robust_list, robust_list, robust_bytes);
                int begun = begin_child(descriptors, &request, parent, null_device, child);
                // The daemon sees the channel close.
                if (begun < 0) _exit(2);
                return begun;
            }
        }
        for (int index = 0; index < count; index++) close(descriptors[index]);
        ssize_t sent = rp_send(channel, &answer, sizeof answer, NULL, 0);
        if (sent < 0) return sent == -EPIPE ? 0 : (int)sent;
    }
}
