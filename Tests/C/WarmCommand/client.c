/* Runs a program that warm.c has loaded, as if it had been started here. By the name it is called by: `ffmpeg` asks at the
 * socket `ffmpeg.socket` beside itself. */
#define _GNU_SOURCE
#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what) {
    perror(what);
    return 127;
}

/* The folder of this program, whatever it was called by. */
static int socket_path(const char *name, char *path, size_t size) {
    char own[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    if (length < 0) return -1;
    own[length] = 0;
    return snprintf(path, size, "%s/%s.socket", dirname(own), name) < (int)size ? 0 : -1;
}

static uint32_t measure(char **list, uint32_t *count) {
    uint32_t bytes = 0;
    for (*count = 0; list[*count]; ++*count) bytes += (uint32_t)strlen(list[*count]) + 1;
    return bytes;
}

static int send_strings(int to, char **list) {
    for (; *list; list++)
        if (send(to, *list, strlen(*list) + 1, MSG_NOSIGNAL) != (ssize_t)strlen(*list) + 1) return -1;
    return 0;
}

int main(int argc, char **argv) {
    (void)argc;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[NAME_MAX + 1];
    snprintf(name, sizeof name, "%s", basename(argv[0]));
    if (socket_path(name, address.sun_path, sizeof address.sun_path)) return fail(name);
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (connection < 0 || folder < 0 || connect(connection, (struct sockaddr *)&address, sizeof address))
        return fail(address.sun_path);

    struct request request;
    request.bytes = measure(argv, &request.argument_count);
    request.bytes += measure(environ, &request.variable_count);
    int descriptors[REQUEST_DESCRIPTORS] = {0, 1, 2, folder};
    char control[CMSG_SPACE(sizeof descriptors)] = {0};
    struct iovec part = {.iov_base = &request, .iov_len = sizeof request};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof descriptors);
    memcpy(CMSG_DATA(head), descriptors, sizeof descriptors);
    if (sendmsg(connection, &message, MSG_NOSIGNAL) != sizeof request || send_strings(connection, argv)
        || send_strings(connection, environ))
        return fail("asking for the program");

    /* Whoever waits for the end of a stream waits for the program, not for this. */
    close(0);
    close(1);
    struct answer answer;
    ssize_t got;
    while ((got = read(connection, &answer, sizeof answer)) < 0 && errno == EINTR) {}
    if (got != sizeof answer) return fail("waiting for the program");
    if (WIFSIGNALED(answer.wait_status)) {
        signal(WTERMSIG(answer.wait_status), SIG_DFL);
        raise(WTERMSIG(answer.wait_status));
    }
    return WIFEXITED(answer.wait_status) ? WEXITSTATUS(answer.wait_status) : 127;
}
