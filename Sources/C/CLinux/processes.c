#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// MARK: Threads

typedef struct {
    void (*body)(void *);
    void *context;
} start;

// The start is copied by value through a mutex-free hand-over: the creating thread waits until it was taken.
typedef struct {
    start what;
    pthread_barrier_t taken;
} hand_over;

static void *run_joined(void *argument) {
    start *what = argument;
    what->body(what->context);
    return NULL;
}

static void *run_detached(void *argument) {
    hand_over *over = argument;
    start what = over->what;
    pthread_barrier_wait(&over->taken);
    what.body(what.context);
    return NULL;
}

static int create(pthread_t *thread, void *(*entry)(void *), void *argument, size_t stack_bytes) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    int status = pthread_attr_setstacksize(&attributes, stack_bytes);
    if (status == 0) status = pthread_create(thread, &attributes, entry, argument);
    pthread_attr_destroy(&attributes);
    return -status;
}

int rp_thread_run(void (*body)(void *), void *context, size_t stack_bytes) {
    start what = {body, context};
    pthread_t thread;
    int status = create(&thread, run_joined, &what, stack_bytes);
    if (status == 0) pthread_join(thread, NULL);
    return status;
}

int rp_thread_start(void (*body)(void *), void *context, size_t stack_bytes) {
    hand_over over = {.what = {body, context}};
    pthread_barrier_init(&over.taken, NULL, 2);
    pthread_t thread;
    int status = create(&thread, run_detached, &over, stack_bytes);
    if (status == 0) {
        pthread_barrier_wait(&over.taken);
        pthread_detach(thread);
    }
    pthread_barrier_destroy(&over.taken);
    return status;
}

int rp_thread_count(void) {
    DIR *folder = opendir("/proc/self/task");
    if (!folder) return -errno;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.') count++;
    closedir(folder);
    return count;
}

// MARK: Processes

pid_t rp_spawn(const char *path, char *const arguments[], char *const environment[], int channel) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    sigset_t every, none;
    sigfillset(&every);
    sigemptyset(&none);
    pid_t process = 0;
    int status = 0;
    // Onto the same number a dup2 would leave close-on-exec set; posix_spawn clears it then. Source: POSIX.1-2024.
    if ((status = posix_spawn_file_actions_adddup2(&files, channel, 3)) == 0
        && (status = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0)) == 0
        && (status = posix_spawn_file_actions_adddup2(&files, 0, 1)) == 0
        && (status = posix_spawn_file_actions_addclosefrom_np(&files, 4)) == 0
        && (status = posix_spawnattr_setsigdefault(&attributes, &every)) == 0
        && (status = posix_spawnattr_setsigmask(&attributes, &none)) == 0
        && (status = posix_spawnattr_setpgroup(&attributes, 0)) == 0
        && (status = posix_spawnattr_setflags(
                &attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP)) == 0)
        status = posix_spawn(&process, path, &files, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return status == 0 ? process : -status;
}

int rp_reap(pid_t child, rp_exit *result) {
    int status;
    struct rusage usage;
    pid_t reaped;
    do reaped = wait4(child, &status, 0, &usage);
    while (reaped < 0 && errno == EINTR);
    if (reaped < 0) return -errno;
    result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    result->cpu_seconds = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6
        + (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
    result->peak_resident_bytes = (int64_t)usage.ru_maxrss * 1024;
    return 0;
}

void rp_kill(pid_t process, bool group) {
    // 0 and 1 and what is below mean other things to kill(2).
    if (process <= 1) return;
    if (group) kill(-process, SIGKILL);
    kill(process, SIGKILL);
}

int rp_die_with_parent(pid_t parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return -errno;
    // It may have died before the call.
    return getppid() == parent ? 0 : -ESRCH;
}

int rp_die_first_without_memory(void) {
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    ssize_t written = write(file, "1000", 4);
    int reason = errno;
    close(file);
    return written == 4 ? 0 : -reason;
}

void rp_trim_memory(void) { malloc_trim(0); }
