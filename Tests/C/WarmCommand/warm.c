/* Loads a program once and runs it many times.
 *
 * FFmpeg's commands are linked to two hundred libraries, and looking up their symbols takes longer than most of what tests
 * ask of them. Preloaded into such a command, this stops it before its main function and waits at a socket; whoever
 * connects gets a fork of it that goes on from there with the caller's arguments, environment, directory and standard
 * streams.
 *
 *     LD_PRELOAD=warm.so REELPOOL_WARM_SOCKET=path ffmpeg
 */
#define _GNU_SOURCE
#include "protocol.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int main_function(int, char **, char **);
typedef int start_function(
    main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

#define MOST_RUNS 64

struct run {
    int connection;
    pid_t process;
};

static main_function *program_main;
static struct run runs[MOST_RUNS];
static int run_count;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* A fork has the thread that forked, and no other. */
static void check_single_thread(void) {
    DIR *folder = opendir("/proc/self/task");
    int count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) count += entry->d_name[0] != '.';
    if (folder) closedir(folder);
    if (count != 1) {
        fprintf(stderr, "the program has threads before it begins\n");
        exit(1);
    }
}

static int listen_at(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) fail(path);
    strcpy(address.sun_path, path);
    int socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0 || bind(socket_, (struct sockaddr *)&address, sizeof address) || listen(socket_, 64)) fail(path);
    return socket_;
}

static int read_all(int from, void *buffer, size_t count) {
    for (char *place = buffer; count > 0;) {
        ssize_t got = read(from, place, count);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return -1;
        place += got;
        count -= (size_t)got;
    }
    return 0;
}

static int receive(int connection, struct request *request, int *descriptors) {
    char control[CMSG_SPACE(REQUEST_DESCRIPTORS * sizeof(int))];
    struct iovec part = {.iov_base = request, .iov_len = sizeof *request};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL) != sizeof *request) return -1;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (!head || head->cmsg_type != SCM_RIGHTS || head->cmsg_len != CMSG_LEN(REQUEST_DESCRIPTORS * sizeof(int)))
        return -1;
    memcpy(descriptors, CMSG_DATA(head), REQUEST_DESCRIPTORS * sizeof(int));
    return request->bytes <= REQUEST_MOST_BYTES ? 0 : -1;
}

/* As many strings of a buffer, and a null pointer. */
static char **strings(char **place, uint32_t count, const char *end) {
    char **list = calloc(count + 1, sizeof *list);
    for (uint32_t index = 0; list && index < count && *place < end; index++) {
        list[index] = *place;
        *place += strlen(*place) + 1;
    }
    return list;
}

/* In the fork: becomes what was asked for. Does not return unless to the program's end. */
static int go_on(int connection) {
    struct request request;
    int descriptors[REQUEST_DESCRIPTORS];
    if (receive(connection, &request, descriptors)) _exit(127);
    char *text = calloc(request.bytes + 1, 1);
    if (!text || read_all(connection, text, request.bytes)) _exit(127);
    char *place = text;
    char **arguments = strings(&place, request.argument_count, text + request.bytes);
    char **variables = strings(&place, request.variable_count, text + request.bytes);
    if (!arguments || !variables || fchdir(descriptors[3])) _exit(127);
    for (int stream = 0; stream < 3; stream++)
        if (dup2(descriptors[stream], stream) < 0) _exit(127);
    for (int index = 0; index < REQUEST_DESCRIPTORS; index++)
        if (descriptors[index] > 2) close(descriptors[index]);
    close(connection);
    environ = variables;
    return program_main((int)request.argument_count, arguments, variables);
}

static void end_run(int index, int wait_status) {
    struct answer answer = {wait_status};
    /* A caller that is gone does not want to know. */
    ssize_t ignored = send(runs[index].connection, &answer, sizeof answer, MSG_NOSIGNAL);
    (void)ignored;
    close(runs[index].connection);
    runs[index] = runs[--run_count];
}

static void reap(void) {
    int status;
    for (pid_t process; (process = waitpid(-1, &status, WNOHANG)) > 0;)
        for (int index = 0; index < run_count; index++)
            if (runs[index].process == process) {
                end_run(index, status);
                break;
            }
}

static int serve(int argc, char **argv, char **environment) {
    (void)argc, (void)argv, (void)environment;
    check_single_thread();
    /* Not for longer than whoever started it. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t children, before;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, &before);
    int deaths = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    int door = listen_at(getenv("REELPOOL_WARM_SOCKET"));
    if (deaths < 0) fail("signalfd");
    for (;;) {
        struct pollfd watched[MOST_RUNS + 2] = {{.fd = deaths, .events = POLLIN}};
        /* Whoever comes when all are taken waits in the queue. */
        watched[1] = (struct pollfd){.fd = run_count < MOST_RUNS ? door : -1, .events = POLLIN};
        for (int index = 0; index < run_count; index++)
            watched[index + 2] = (struct pollfd){.fd = runs[index].connection, .events = POLLRDHUP};
        int count = run_count;
        if (poll(watched, (nfds_t)count + 2, -1) < 0 && errno != EINTR) fail("poll");
        /* A caller that was killed takes its program with it; the program's death then ends the run. */
        for (int index = 0; index < count; index++)
            if (watched[index + 2].revents) kill(runs[index].process, SIGKILL);
        struct signalfd_siginfo information;
        while (read(deaths, &information, sizeof information) > 0) {}
        reap();
        if (!(watched[1].revents & POLLIN)) continue;
        int connection = accept4(door, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0) continue;
        pid_t process = fork();
        if (process == 0) {
            sigprocmask(SIG_SETMASK, &before, NULL);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(door);
            close(deaths);
            for (int index = 0; index < run_count; index++) close(runs[index].connection);
            return go_on(connection);
        }
        if (process < 0) close(connection);
        else runs[run_count++] = (struct run){connection, process};
    }
}

/* Comes before the C library's function of that name. Source: Linux Standard Base, __libc_start_main. */
int __libc_start_main(
    main_function *program, int argc, char **argv, void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
    void *stack_end) {
    start_function *start = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");
    program_main = program;
    int is_server = getenv("REELPOOL_WARM_SOCKET") != NULL;
    return start(is_server ? serve : program, argc, argv, init, fini, rtld_fini, stack_end);
}
