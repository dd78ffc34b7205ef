#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "include/CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

const int CLINUX_O_NOATIME = O_NOATIME, CLINUX_O_DIRECT = O_DIRECT, CLINUX_O_DIRECTORY = O_DIRECTORY, CLINUX_O_NOFOLLOW = O_NOFOLLOW;
const int CLINUX_O_PATH = O_PATH, CLINUX_O_TMPFILE = O_TMPFILE;
const int CLINUX_SEEK_DATA = SEEK_DATA, CLINUX_SEEK_HOLE = SEEK_HOLE;
const int CLINUX_FALLOC_PUNCH_HOLE_KEEP_SIZE = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
const int CLINUX_AT_SYMLINK_NOFOLLOW = AT_SYMLINK_NOFOLLOW, CLINUX_AT_EMPTY_PATH = AT_EMPTY_PATH;

int clinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
int clinux_openat(int directory, const char *path, int flags, mode_t mode) {
    return openat(directory, path, flags, mode);
}
int clinux_fcntl(int fd, int command, long argument) { return fcntl(fd, command, argument); }

unsigned int clinux_major(dev_t device) { return major(device); }
unsigned int clinux_minor(dev_t device) { return minor(device); }
dev_t clinux_makedev(unsigned int major_, unsigned int minor_) { return makedev(major_, minor_); }

int clinux_rename_exchange(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_EXCHANGE);
}
int clinux_rename_noreplace(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE);
}

int clinux_fallocate(int fd, int mode, off_t offset, off_t length) { return fallocate(fd, mode, offset, length); }
void clinux_advise_sequential(int fd) { posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); }
int clinux_syncfs(int fd) { return syncfs(fd); }
int clinux_pipe_cloexec(int fds[2]) { return pipe2(fds, O_CLOEXEC); }
int clinux_set_pipe_size(int fd, int bytes) { return fcntl(fd, F_SETPIPE_SZ, bytes); }

ssize_t clinux_llistxattr(const char *path, char *list, size_t size) { return llistxattr(path, list, size); }
ssize_t clinux_lgetxattr(const char *path, const char *name, void *value, size_t size) {
    return lgetxattr(path, name, value, size);
}
int clinux_lsetxattr(const char *path, const char *name, const void *value, size_t size) {
    return lsetxattr(path, name, value, size, 0);
}
int clinux_lremovexattr(const char *path, const char *name) { return lremovexattr(path, name); }
ssize_t clinux_flistxattr(int fd, char *list, size_t size) { return flistxattr(fd, list, size); }
ssize_t clinux_fgetxattr(int fd, const char *name, void *value, size_t size) {
    return fgetxattr(fd, name, value, size);
}
int clinux_fsetxattr(int fd, const char *name, const void *value, size_t size) {
    return fsetxattr(fd, name, value, size, 0);
}
int clinux_fremovexattr(int fd, const char *name) { return fremovexattr(fd, name); }

// Numbers and structure: include/uapi/asm-generic/unistd.h and include/uapi/linux/xattr.h of Linux 6.13; the same on all
// architectures but alpha.
enum { call_setxattrat = 463, call_getxattrat = 464, call_listxattrat = 465 };
struct attribute_arguments {
    uint64_t value;
    uint32_t size, flags;
};
static atomic_int xattrat_is_missing;
void clinux_avoid_xattrat(int avoid) { atomic_store(&xattrat_is_missing, avoid); }
static int may_try_xattrat(void) { return !atomic_load_explicit(&xattrat_is_missing, memory_order_relaxed); }
/// True when the system does not know the call, or a filter of system calls refuses what it does not know.
static int note_missing_xattrat(ssize_t result) {
    if (result >= 0 || (errno != ENOSYS && errno != EPERM)) return 0;
    if (errno == ENOSYS) atomic_store(&xattrat_is_missing, 1);
    return 1;
}
/// Longer than any: the number of a descriptor, and a name of up to NAME_MAX bytes.
enum { descriptor_path_size = 512 };
static const char *descriptor_path(char *buffer, int directory, const char *entry) {
    int count = snprintf(buffer, descriptor_path_size, "/proc/self/fd/%d/%s", directory, entry);
    return count < descriptor_path_size ? buffer : entry;
}
ssize_t clinux_listxattrat(int directory, const char *entry, char *list, size_t size) {
    if (may_try_xattrat()) {
        ssize_t result = syscall(call_listxattrat, directory, entry, AT_SYMLINK_NOFOLLOW, list, size);
        if (!note_missing_xattrat(result)) return result;
    }
    char path[descriptor_path_size];
    return llistxattr(descriptor_path(path, directory, entry), list, size);
}
ssize_t clinux_getxattrat(int directory, const char *entry, const char *name, void *value, size_t size) {
    if (may_try_xattrat()) {
        struct attribute_arguments arguments = {.value = (uintptr_t)value, .size = (uint32_t)size};
        ssize_t result =
            syscall(call_getxattrat, directory, entry, AT_SYMLINK_NOFOLLOW, name, &arguments, sizeof arguments);
        if (!note_missing_xattrat(result)) return result;
    }
    char path[descriptor_path_size];
    return lgetxattr(descriptor_path(path, directory, entry), name, value, size);
}
int clinux_setxattrat(int directory, const char *entry, const char *name, const void *value, size_t size) {
    if (may_try_xattrat()) {
        struct attribute_arguments arguments = {.value = (uintptr_t)value, .size = (uint32_t)size};
        int result =
            (int)syscall(call_setxattrat, directory, entry, AT_SYMLINK_NOFOLLOW, name, &arguments, sizeof arguments);
        if (!note_missing_xattrat(result)) return result;
    }
    char path[descriptor_path_size];
    return lsetxattr(descriptor_path(path, directory, entry), name, value, size, 0);
}

int clinux_unshare_umask(void) { return unshare(CLONE_FS); }
int clinux_lchmodat(int directory, const char *path, mode_t mode) {
    return fchmodat(directory, path, mode, AT_SYMLINK_NOFOLLOW);
}
uint64_t clinux_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

static void copy_stat(const struct stat *from, clinux_stat *out) {
    out->device = from->st_dev;
    out->inode = from->st_ino;
    out->links = from->st_nlink;
    out->special_device = from->st_rdev;
    out->size = (uint64_t)from->st_size;
    out->mode = from->st_mode;
    out->uid = from->st_uid;
    out->gid = from->st_gid;
    out->mtime_seconds = from->st_mtim.tv_sec;
    out->atime_seconds = from->st_atim.tv_sec;
    out->ctime_seconds = from->st_ctim.tv_sec;
    out->mtime_nanoseconds = (uint32_t)from->st_mtim.tv_nsec;
    out->atime_nanoseconds = (uint32_t)from->st_atim.tv_nsec;
    out->ctime_nanoseconds = (uint32_t)from->st_ctim.tv_nsec;
    out->blocks_512 = from->st_blocks;
}
int clinux_lstatat(int directory, const char *path, clinux_stat *out) {
    struct stat from;
    int result = fstatat(directory, path, &from, AT_SYMLINK_NOFOLLOW);
    if (result == 0) copy_stat(&from, out);
    return result;
}
int clinux_fstat(int fd, clinux_stat *out) {
    struct stat from;
    int result = fstat(fd, &from);
    if (result == 0) copy_stat(&from, out);
    return result;
}

void clinux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
int clinux_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int clinux_window_columns(int fd) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
uint64_t clinux_free_bytes(const char *path) {
    struct statvfs info;
    if (statvfs(path, &info) != 0) return UINT64_MAX;
    return (uint64_t)info.f_bavail * info.f_frsize;
}

static int termination_pipe[2] = {-1, -1};
static void tell_termination(int signal_number) {
    int saved = errno;
    unsigned char number = (unsigned char)signal_number;
    (void)!write(termination_pipe[1], &number, 1);
    errno = saved;
}
// A hangup comes from the kernel. One that a process sends is restic's way to ask whether we live, when it looks at our
// lock (its internal/repository/lock_file_unix.go): surviving it is the answer.
static void tell_hangup(int signal_number, siginfo_t *info, void *context) {
    (void)context;
    if (info->si_code > 0) tell_termination(signal_number);
}
int clinux_termination_descriptor(void) {
    if (termination_pipe[0] >= 0) return termination_pipe[0];
    if (pipe2(termination_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
    struct sigaction action = {.sa_handler = tell_termination, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_sigaction = tell_hangup;
    action.sa_flags = SA_RESTART | SA_SIGINFO;
    sigaction(SIGHUP, &action, NULL);
    // Who started us may have blocked them, and a mask is inherited: a host that cannot be stopped helps nobody.
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
    return termination_pipe[0];
}
static void do_nothing(int signal_number) { (void)signal_number; }
void clinux_survive_broken_pipes(void) {
    struct sigaction action = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGPIPE, &action, NULL);
}

int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

uint64_t clinux_file_system_type(const char *path) {
    struct statfs info;
    return statfs(path, &info) == 0 ? (uint32_t)info.f_type : 0;
}

const int32_t CLINUX_PROCESS_KEYRING = KEY_SPEC_PROCESS_KEYRING, CLINUX_USER_KEYRING = KEY_SPEC_USER_KEYRING;
int32_t clinux_add_key(const char *description, const void *payload, size_t size, int32_t ring) {
    return (int32_t)syscall(SYS_add_key, "user", description, payload, size, ring);
}
int32_t clinux_search_key(int32_t ring, const char *description) {
    return (int32_t)syscall(SYS_keyctl, KEYCTL_SEARCH, ring, "user", description, 0);
}
long clinux_read_key(int32_t key, void *payload, size_t capacity) {
    return syscall(SYS_keyctl, KEYCTL_READ, key, payload, capacity);
}
int clinux_permit_key(int32_t key, uint32_t permissions) {
    return (int)syscall(SYS_keyctl, KEYCTL_SETPERM, key, permissions);
}
int clinux_expire_key(int32_t key, unsigned int seconds) {
    return (int)syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, key, seconds);
}
int clinux_link_key(int32_t key, int32_t ring) { return (int)syscall(SYS_keyctl, KEYCTL_LINK, key, ring); }
int clinux_unlink_key(int32_t key, int32_t ring) { return (int)syscall(SYS_keyctl, KEYCTL_UNLINK, key, ring); }
int clinux_invalidate_key(int32_t key) { return (int)syscall(SYS_keyctl, KEYCTL_INVALIDATE, key); }
