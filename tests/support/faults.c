/* Counts in one order whatever a process changes below one folder, and fails at one point of that order.

   Preloaded it does nothing until `arm` is called. Each point is a write, an open that creates, truncates or may write,
   a rename, unlink, truncate, mkdir or sync. At point `at` the process kills itself ('K'), or is told of an error once
   ('E': EIO); a disk that is full ('F': ENOSPC) stays full, for all that takes room. What was done is written to a
   journal: a line `sign offset length path\tother`, and the bytes of a write after it; what is printed stands there too,
   but is no point. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX], answer;
static long count, at;
static int journal = -1;

void arm(const char *folder, long point, char what, const char *path) {
    at = point, answer = what, count = 0;
    journal = *path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    strcpy(root, folder);
}

static int is_below(const char *path) {
    size_t length = strlen(root);
    return length && !strncmp(path, root, length) && path[length] == '/';
}

static int named(int folder, const char *path, char *full) { /* whether it is below the folder; `full` is its path */
    char link[64];
    ssize_t length = 0;
    if (!*root || !path) return 0;
    if (*path != '/') {
        if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        if ((length = readlink(link, full, PATH_MAX - 1)) < 0) return 0;
        if (*path) full[length++] = '/';
    }
    snprintf(full + length, PATH_MAX - length, "%s", path);
    return is_below(full);
}

static int opened(int file, char *full) { return named(file, "", full); }

static int reached(int takes_room) { /* the error to answer, 0 for none */
    int here = ++count == at;
    if (here && answer == 'K') syscall(SYS_kill, getpid(), SIGKILL), pause();
    if (here && answer == 'E') return EIO;
    return answer == 'F' && at && count >= at && takes_room ? ENOSPC : 0;
}

static void note(char sign, const char *path, const char *other, off_t offset, const struct iovec *data, long length) {
    char line[2 * PATH_MAX + 64];
    if (journal < 0) return;
    int size = snprintf(line, sizeof line, "%c %ld %ld %s\t%s\n", sign, (long)offset, length, path, other);
    syscall(SYS_write, journal, line, size);
    for (long left = length; data && left > 0; left -= data++->iov_len)
        syscall(SYS_write, journal, data->iov_base, (long)data->iov_len < left ? (long)data->iov_len : left);
}

/* One point: `CALL` gives what is done, or -1; `LENGTH` may use it. */
#define POINT(SIGN, PATH, OTHER, OFFSET, DATA, LENGTH, CALL) do { \
    pthread_mutex_lock(&order); \
    long done = -1; \
    int wrong = reached(strchr("wom", SIGN) != NULL); \
    if (!wrong && (done = (CALL)) >= 0) note(SIGN, PATH, OTHER, OFFSET, DATA, LENGTH); \
    int kept = wrong ? wrong : errno; \
    pthread_mutex_unlock(&order); \
    errno = kept; \
    return done; \
} while (0)

static int open_at(int folder, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    if (((flags & O_ACCMODE) == O_RDONLY && !(flags & (O_CREAT | O_TRUNC))) || !named(folder, path, full))
        return syscall(SYS_openat, folder, path, flags, mode);
    int is_new = syscall(SYS_faccessat, folder, path, F_OK) != 0;
    POINT('o', full, is_new ? "new" : flags & O_TRUNC ? "emptied" : "", 0, NULL, 0,
          syscall(SYS_openat, folder, path, flags, mode));
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { \
    va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }
int open(const char *path, int flags, ...) { MODE return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return open_at(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE return open_at(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE return open_at(folder, path, flags, mode); }
int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

static ssize_t put(int file, const struct iovec *data, int parts, off_t offset) { /* at its own place, if < 0 */
    char full[PATH_MAX];
    long place = offset;
    if (!opened(file, full)) {
        long done = offset < 0 ? syscall(SYS_writev, file, data, parts)
                               : syscall(SYS_pwritev, file, data, parts, offset, 0);
        if (file == 1 && *root && done > 0) note('p', "", "", 0, data, done);
        return done;
    }
    if (offset < 0)
        place = lseek(file, 0, fcntl(file, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    POINT('w', full, "", place, data, done,
          offset < 0 ? syscall(SYS_writev, file, data, parts) : syscall(SYS_pwritev, file, data, parts, offset, 0));
}

#define ONE(bytes, size) &(struct iovec){(void *)(bytes), size}, 1
ssize_t write(int file, const void *bytes, size_t size) { return put(file, ONE(bytes, size), -1); }
ssize_t writev(int file, const struct iovec *data, int parts) { return put(file, data, parts, -1); }
ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset) { return put(file, ONE(bytes, size), offset); }
ssize_t pwrite64(int file, const void *bytes, size_t size, off_t offset) { return put(file, ONE(bytes, size), offset); }

int renameat(int folder, const char *path, int into, const char *name) {
    char from[PATH_MAX], to[PATH_MAX];
    if (!(named(folder, path, from) & named(into, name, to))) return syscall(SYS_renameat, folder, path, into, name);
    POINT('r', from, to, 0, NULL, 0, syscall(SYS_renameat, folder, path, into, name));
}
int rename(const char *path, const char *name) { return renameat(AT_FDCWD, path, AT_FDCWD, name); }

int unlinkat(int folder, const char *path, int flags) {
    char full[PATH_MAX];
    if (!named(folder, path, full)) return syscall(SYS_unlinkat, folder, path, flags);
    POINT('u', full, "", 0, NULL, 0, syscall(SYS_unlinkat, folder, path, flags));
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
    int done = unlink(path);
    return done && errno == EISDIR ? rmdir(path) : done;
}

int ftruncate(int file, off_t size) {
    char full[PATH_MAX];
    if (!opened(file, full)) return syscall(SYS_ftruncate, file, size);
    POINT('t', full, "", size, NULL, 0, syscall(SYS_ftruncate, file, size));
}
int ftruncate64(int file, off_t size) { return ftruncate(file, size); }
int truncate(const char *path, off_t size) {
    char full[PATH_MAX];
    if (!named(AT_FDCWD, path, full)) return syscall(SYS_truncate, path, size);
    POINT('t', full, "", size, NULL, 0, syscall(SYS_truncate, path, size));
}

int mkdirat(int folder, const char *path, mode_t mode) {
    char full[PATH_MAX];
    if (!named(folder, path, full)) return syscall(SYS_mkdirat, folder, path, mode);
    POINT('m', full, "", 0, NULL, 0, syscall(SYS_mkdirat, folder, path, mode));
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

static int sync_with(long call, int file) {
    char full[PATH_MAX];
    if (!opened(file, full)) return syscall(call, file);
    POINT('s', full, "", 0, NULL, 0, syscall(call, file));
}
int fsync(int file) { return sync_with(SYS_fsync, file); }
int fdatasync(int file) { return sync_with(SYS_fdatasync, file); }
