/* A disk that fails when it is told to: preloaded into a process, it counts every call that changes a file below one folder,
 * and at the one asked for it kills the process before the call (DIE), kills it with half of the call done (TEAR), or
 * has no room from there on (FULL). SQLite and DuckDB write through these calls like everybody else.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OFF, COUNT, DIE, TEAR, FULL };
enum { GO, HALF, NO_ROOM };

static atomic_int mode = OFF;
static atomic_long at, seen;
static char below[4096];

/* To be called after the fork: what shall happen at which call (counted from 0) below which folder. */
void fault_arm(int what, long when, const char *folder)
{
    mode = OFF;
    strncpy(below, folder, sizeof below - 1);
    at = when;
    seen = 0;
    mode = what;
}

/* How many calls were made since. */
long fault_seen(void) { return seen; }

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static int due(const char *path)
{
    if (mode == OFF || strncmp(path, below, strlen(below)) != 0)
        return GO;
    long number = seen++;
    if (mode == FULL && number >= at)
        return number == at ? HALF : NO_ROOM;
    if (mode == DIE && number == at)
        die();
    return mode == TEAR && number == at ? HALF : GO;
}

static int due_at(int fd)
{
    char link[64], path[4096];
    if (mode == OFF)
        return GO;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return GO;
    path[length] = 0;
    return due(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Half of the bytes, which is all for one byte; who is killed for it never hears how many. */
#define WRITING(call, half, fd)          \
    int state = due_at(fd);              \
    if (state == GO)                     \
        return call;                     \
    if (state == NO_ROOM) {              \
        errno = ENOSPC;                  \
        return -1;                       \
    }                                    \
    ssize_t done = half;                 \
    if (mode == TEAR)                    \
        die();                           \
    return done

ssize_t write(int fd, const void *data, size_t size)
{
    WRITING(REAL(write)(fd, data, size), REAL(write)(fd, data, (size + 1) / 2), fd);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t where)
{
    WRITING(REAL(pwrite)(fd, data, size, where), REAL(pwrite)(fd, data, (size + 1) / 2, where), fd);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t where)
{
    WRITING(REAL(pwrite64)(fd, data, size, where), REAL(pwrite64)(fd, data, (size + 1) / 2, where), fd);
}

/* What is done whole or not at all: TEAR kills after it, FULL lets it be. */
#define WHOLE(call, state)               \
    int due_now = state;                 \
    int result = call;                   \
    if (due_now == HALF && mode == TEAR) \
        die();                           \
    return result

int fsync(int fd) { WHOLE(REAL(fsync)(fd), due_at(fd)); }
int fdatasync(int fd) { WHOLE(REAL(fdatasync)(fd), due_at(fd)); }
int ftruncate(int fd, off_t size) { WHOLE(REAL(ftruncate)(fd, size), due_at(fd)); }
int ftruncate64(int fd, off64_t size) { WHOLE(REAL(ftruncate64)(fd, size), due_at(fd)); }
int rename(const char *from, const char *to) { WHOLE(REAL(rename)(from, to), due(to)); }
int unlink(const char *path) { WHOLE(REAL(unlink)(path), due(path)); }
