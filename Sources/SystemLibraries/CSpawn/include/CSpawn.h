// Starts a child process: fork(2) and execve(2) with only async-signal-safe calls between them (signal-safety(7)).
// Swift cannot fork safely, and posix_spawn(3) can neither close all descriptors nor ask for a parent-death signal.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// Where one of the child's standard streams leads, when it is not a descriptor of the caller (a number >= 0).
enum {
    /// A new pipe; the caller's end comes back in cspawn_process.
    CSPAWN_PIPE = -1,
    /// /dev/null.
    CSPAWN_NULL = -2,
    /// The caller's own stream of the same number.
    CSPAWN_INHERIT = -3,
};

/// How the child stands to its parent.
typedef enum {
    /// Leader of a new process group, so that kill(-pid) reaches all that it starts and does not move away.
    CSPAWN_NEW_GROUP = 0,
    /// Leader of a new session (and group): no controlling terminal either.
    CSPAWN_NEW_SESSION = 1,
    /// In the group of the parent.
    CSPAWN_SAME_GROUP = 2,
} cspawn_group;

typedef struct {
    /// Absolute path of the program; PATH is not searched.
    const char *executable;
    /// argv and envp, each ended by NULL.
    char *const *arguments;
    char *const *environment;
    /// Working directory; NULL leaves the caller's.
    const char *directory;
    /// CSPAWN_PIPE, CSPAWN_NULL, CSPAWN_INHERIT or a descriptor, which stays the caller's to close.
    int input, output, error;
    cspawn_group group;
    /// Sent to the child when the *thread* that called cspawn_start ends (prctl(2), PR_SET_PDEATHSIG); 0 for none.
    int parent_death_signal;
    /// prctl(2), PR_SET_NO_NEW_PRIVS: set-user-id programs gain nothing, in the child and all it starts.
    bool no_new_privileges;
    /// RLIMIT_CORE is set to 0 and the soft RLIMIT_NOFILE to at most this; 0 leaves both as they are.
    uint32_t open_files_limit;
    /// umask(2) of the child; negative leaves the caller's.
    int file_mode_mask;
} cspawn_options;

typedef struct {
    /// Process id; also the group id under CSPAWN_NEW_GROUP and CSPAWN_NEW_SESSION.
    pid_t pid;
    /// pidfd_open(2), close-on-exec; -1 on kernels before 5.3. Readable once the child has ended.
    int pidfd;
    /// The caller's ends of the pipes, close-on-exec; -1 where no pipe was asked for.
    int input, output, error;
} cspawn_process;

/// The step that failed, for the message.
typedef enum {
    CSPAWN_STEP_NONE = 0,
    CSPAWN_STEP_PIPE,
    CSPAWN_STEP_FORK,
    CSPAWN_STEP_GROUP,
    CSPAWN_STEP_STREAMS,
    CSPAWN_STEP_PARENT_DIED,
    CSPAWN_STEP_PRIVILEGES,
    CSPAWN_STEP_LIMITS,
    CSPAWN_STEP_DIRECTORY,
    CSPAWN_STEP_EXEC,
} cspawn_step;

typedef struct {
    cspawn_step step;
    /// errno of that step.
    int code;
} cspawn_failure;

/// Starts the program and waits until it was executed or that failed. Every descriptor above 2 is closed in the child,
/// every signal has its default disposition and none is blocked.
///
/// Returns 0, or -1 with `failure` filled; then nothing is left: no child, no descriptor.
int cspawn_start(const cspawn_options *options, cspawn_process *process, cspawn_failure *failure);

/// What waitpid(2) found.
typedef struct {
    /// Exit status, 0...255; -1 when a signal ended the process.
    int exit_status;
    /// The signal that ended it; 0 when it exited.
    int signal;
} cspawn_exit;

/// Reaps the child `pid`. With `block` false it only looks.
///
/// Returns 1 and fills `out` when the child has ended, 0 when it still runs, -1 and errno otherwise.
int cspawn_reap(pid_t pid, bool block, cspawn_exit *out);

/// Whether the child `pid` has ended; it is not reaped, so its process and group ids stay taken.
bool cspawn_has_ended(pid_t pid);
