// Linux calls that the Glibc module does not show to Swift: those behind _GNU_SOURCE, macros, and variadic functions.
// Each returns what the call of the manual page returns: -1 and errno on failure.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/// open(2) and openat(2) are variadic, which Swift cannot call.
int clinux_open(const char *path, int flags, mode_t mode);
int clinux_openat(int directory, const char *path, int flags, mode_t mode);
int clinux_fcntl(int fd, int command, long argument);

extern const int CLINUX_O_NOATIME, CLINUX_O_DIRECT, CLINUX_O_DIRECTORY, CLINUX_O_NOFOLLOW, CLINUX_O_PATH;
extern const int CLINUX_O_TMPFILE;
extern const int CLINUX_SEEK_DATA, CLINUX_SEEK_HOLE;
extern const int CLINUX_FALLOC_PUNCH_HOLE_KEEP_SIZE;
extern const int CLINUX_AT_SYMLINK_NOFOLLOW, CLINUX_AT_EMPTY_PATH;

unsigned int clinux_major(dev_t device);
unsigned int clinux_minor(dev_t device);
dev_t clinux_makedev(unsigned int major, unsigned int minor);

/// renameat2(2) with RENAME_EXCHANGE and RENAME_NOREPLACE.
int clinux_rename_exchange(int from_directory, const char *from, int to_directory, const char *to);
int clinux_rename_noreplace(int from_directory, const char *from, int to_directory, const char *to);

/// fallocate(2), posix_fadvise(2) with SEQUENTIAL, syncfs(2), pipe2(2) with O_CLOEXEC.
int clinux_fallocate(int fd, int mode, off_t offset, off_t length);
void clinux_advise_sequential(int fd);
int clinux_syncfs(int fd);
int clinux_pipe_cloexec(int fds[2]);
int clinux_set_pipe_size(int fd, int bytes);

/// xattr(7) on the file itself, never on what a symbolic link points at.
ssize_t clinux_llistxattr(const char *path, char *list, size_t size);
ssize_t clinux_lgetxattr(const char *path, const char *name, void *value, size_t size);
int clinux_lsetxattr(const char *path, const char *name, const void *value, size_t size);
int clinux_lremovexattr(const char *path, const char *name);
ssize_t clinux_flistxattr(int fd, char *list, size_t size);
ssize_t clinux_fgetxattr(int fd, const char *name, void *value, size_t size);
int clinux_fsetxattr(int fd, const char *name, const void *value, size_t size);
int clinux_fremovexattr(int fd, const char *name);
/// The same for an entry of an open directory: listxattrat(2) and its siblings, which Linux has since 6.13; before, by
/// way of /proc/self/fd, so that no path grows too long.
ssize_t clinux_listxattrat(int directory, const char *entry, char *list, size_t size);
ssize_t clinux_getxattrat(int directory, const char *entry, const char *name, void *value, size_t size);
int clinux_setxattrat(int directory, const char *entry, const char *name, const void *value, size_t size);
/// Goes the way of older systems from now on (nonzero) or asks the system again (0); for tests.
void clinux_avoid_xattrat(int avoid);

/// unshare(2) with CLONE_FS: the calling thread gets a umask and a working directory of its own.
int clinux_unshare_umask(void);
/// fchmodat(2) with AT_SYMLINK_NOFOLLOW.
int clinux_lchmodat(int directory, const char *path, mode_t mode);
/// Makes the soft limit of open descriptors what it can be at most (setrlimit(2)); how many that is.
uint64_t clinux_raise_descriptor_limit(void);

/// struct stat without the macros that hide its times.
typedef struct {
    uint64_t device, inode, links, special_device, size;
    uint32_t mode, uid, gid;
    int64_t mtime_seconds, atime_seconds, ctime_seconds;
    uint32_t mtime_nanoseconds, atime_nanoseconds, ctime_nanoseconds;
    int64_t blocks_512;
} clinux_stat;
/// fstatat(2) with AT_SYMLINK_NOFOLLOW, and fstat(2).
int clinux_lstatat(int directory, const char *path, clinux_stat *out);
int clinux_fstat(int fd, clinux_stat *out);

/// prctl(2): PR_SET_NAME, PR_SET_CHILD_SUBREAPER.
void clinux_name_thread(const char *name);
int clinux_become_subreaper(void);

/// Columns of the terminal behind fd; 0 when there is none.
int clinux_window_columns(int fd);
/// Free bytes for an unprivileged user on the file system of path; UINT64_MAX when unknown.
uint64_t clinux_free_bytes(const char *path);

/// A descriptor that becomes readable when the process is asked to end: SIGTERM, SIGINT and SIGHUP write their number
/// into it, a byte each. Handlers, unlike a blocked or ignored signal, are not inherited by programs that are started.
/// A SIGHUP that another process sent is none: stock restic sends one to see whether the holder of a lock is alive.
/// The same descriptor on every call; -1 and errno when no pipe could be made.
int clinux_termination_descriptor(void);
/// Makes write(2) to a pipe without reader fail with EPIPE instead of ending the process; not inherited either.
void clinux_survive_broken_pipes(void);

/// eventfd(2) with EFD_CLOEXEC and EFD_NONBLOCK, starting at 0.
int clinux_eventfd(void);

/// f_type of statfs(2): the kind of file system that path lies on; 0 when unknown.
uint64_t clinux_file_system_type(const char *path);

/// add_key(2) and keyctl(2), without libkeyutils: they are refused with ENOSYS or EPERM in many containers. Keys are of
/// type "user"; rings are serial numbers or the special values below.
extern const int32_t CLINUX_PROCESS_KEYRING, CLINUX_USER_KEYRING;
int32_t clinux_add_key(const char *description, const void *payload, size_t size, int32_t ring);
/// KEYCTL_SEARCH below ring, KEYCTL_READ (the whole size, also when it is above capacity), KEYCTL_SETPERM,
/// KEYCTL_SET_TIMEOUT, KEYCTL_LINK, KEYCTL_UNLINK, KEYCTL_INVALIDATE.
int32_t clinux_search_key(int32_t ring, const char *description);
long clinux_read_key(int32_t key, void *payload, size_t capacity);
int clinux_permit_key(int32_t key, uint32_t permissions);
int clinux_expire_key(int32_t key, unsigned int seconds);
int clinux_link_key(int32_t key, int32_t ring);
int clinux_unlink_key(int32_t key, int32_t ring);
int clinux_invalidate_key(int32_t key);
