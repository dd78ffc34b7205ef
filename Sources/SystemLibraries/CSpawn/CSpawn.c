#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "include/CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_quietly(int *fd) {
    int saved = errno;
    if (*fd >= 0) close(*fd);
    *fd = -1;
    errno = saved;
}

// Moves a descriptor out of 0...2, which it may have when the caller runs with closed standard streams.
static int lifted(int fd) {
    if (fd < 0 || fd > 2) return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close_quietly(&fd);
    return moved;
}

static int pipe_above_standard_streams(int ends[2]) {
    ends[0] = ends[1] = -1;
    int raw[2];
    if (pipe2(raw, O_CLOEXEC) != 0) return -1;
    // Both are lifted even if the first fails: each `raw` is closed or moved.
    ends[0] = lifted(raw[0]);
    ends[1] = lifted(raw[1]);
    if (ends[0] >= 0 && ends[1] >= 0) return 0;
    close_quietly(&ends[0]);
    close_quietly(&ends[1]);
    return -1;
}

// One standard stream of the child: the descriptor that becomes it, and the caller's end of the pipe.
typedef struct {
    int child, parent;
    bool child_is_ours;
} stream;

static int prepare_stream(stream *out, int wanted, int number) {
    *out = (stream){.child = -1, .parent = -1, .child_is_ours = false};
    if (wanted == CSPAWN_PIPE) {
        int ends[2];
        if (pipe_above_standard_streams(ends) != 0) return -1;
        out->child = ends[number == 0 ? 0 : 1];
        out->parent = ends[number == 0 ? 1 : 0];
        out->child_is_ours = true;
        return 0;
    }
    if (wanted == CSPAWN_NULL) {
        out->child = lifted(open("/dev/null", (number == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC));
    } else {
        // A copy above 2, so that no dup2 in the child overwrites a source that another still needs.
        out->child = fcntl(wanted == CSPAWN_INHERIT ? number : wanted, F_DUPFD_CLOEXEC, 3);
    }
    out->child_is_ours = true;
    return out->child < 0 ? -1 : 0;
}

static void drop_child_ends(stream streams[3]) {
    for (int i = 0; i < 3; i++)
        if (streams[i].child_is_ours) close_quietly(&streams[i].child);
}

static void drop_parent_ends(stream streams[3]) {
    for (int i = 0; i < 3; i++) close_quietly(&streams[i].parent);
}

static _Noreturn void report_and_exit(int report, cspawn_step step) {
    cspawn_failure failure = {.step = step, .code = errno};
    // Smaller than PIPE_BUF, so it arrives whole; when it does not, the parent sees the child end.
    ssize_t ignored = write(report, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
}

// close_range(2) came with Linux 5.9; before that each possible number is closed.
static void close_from(unsigned first) {
    if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
    struct rlimit limit;
    rlim_t end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : 65536;
    for (rlim_t fd = first; fd < end; fd++) close((int)fd);
}

// Runs in the child between fork and exec: async-signal-safe calls only, no allocation, no locks.
static _Noreturn void become_program(
    const cspawn_options *options, const stream streams[3], int report, pid_t parent) {
    int joined = options->group == CSPAWN_NEW_SESSION ? (setsid() < 0 ? -1 : 0)
        : options->group == CSPAWN_NEW_GROUP          ? setpgid(0, 0)
                                                      : 0;
    if (joined != 0) report_and_exit(report, CSPAWN_STEP_GROUP);

    for (int i = 0; i < 3; i++)
        if (dup2(streams[i].child, i) < 0) report_and_exit(report, CSPAWN_STEP_STREAMS);
    if (report != 3) {
        int moved = dup3(report, 3, O_CLOEXEC);
        if (moved < 0) report_and_exit(report, CSPAWN_STEP_STREAMS);
        report = moved;
    }
    close_from(4);

    if (options->parent_death_signal != 0) {
        if (prctl(PR_SET_PDEATHSIG, options->parent_death_signal, 0, 0, 0) != 0)
            report_and_exit(report, CSPAWN_STEP_PARENT_DIED);
        // The parent may have died before prctl: then nobody would ever send the signal.
        if (getppid() != parent) report_and_exit(report, CSPAWN_STEP_PARENT_DIED);
    }

    if (options->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        report_and_exit(report, CSPAWN_STEP_PRIVILEGES);
    if (options->open_files_limit > 0) {
        struct rlimit core = {0, 0}, files;
        if (setrlimit(RLIMIT_CORE, &core) != 0 || getrlimit(RLIMIT_NOFILE, &files) != 0)
            report_and_exit(report, CSPAWN_STEP_LIMITS);
        if (files.rlim_cur > options->open_files_limit) files.rlim_cur = options->open_files_limit;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0) report_and_exit(report, CSPAWN_STEP_LIMITS);
    }
    if (options->file_mode_mask >= 0) umask((mode_t)options->file_mode_mask);
    if (options->directory && chdir(options->directory) != 0) report_and_exit(report, CSPAWN_STEP_DIRECTORY);

    // An ignored SIGPIPE would be inherited through exec and break every shell pipeline of the program (execve(2)).
    // The bare system calls, since those of the C library leave out the two signals that it keeps for itself, which may
    // have been ignored or blocked as well. All zero is SIG_DFL without flags; the kernel's set has 64 bits.
    static const uint64_t standard[8];
    for (int number = 1; number <= 64; number++) syscall(SYS_rt_sigaction, number, standard, NULL, sizeof(uint64_t));
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, standard, NULL, sizeof(uint64_t));

    execve(options->executable, options->arguments, options->environment);
    report_and_exit(report, CSPAWN_STEP_EXEC);
}

static int fail(cspawn_failure *failure, cspawn_step step, int code) {
    *failure = (cspawn_failure){.step = step, .code = code};
    return -1;
}

// Reads the report of the child: nothing when it was executed, since the pipe closed with exec.
static bool read_report(int report, cspawn_failure *failure) {
    ssize_t count;
    do count = read(report, failure, sizeof *failure);
    while (count < 0 && errno == EINTR);
    return count == (ssize_t)sizeof *failure;
}

int cspawn_start(const cspawn_options *options, cspawn_process *process, cspawn_failure *failure) {
    *process = (cspawn_process){.pid = -1, .pidfd = -1, .input = -1, .output = -1, .error = -1};
    *failure = (cspawn_failure){0};
    stream streams[3] = {{-1, -1, false}, {-1, -1, false}, {-1, -1, false}};
    const int wanted[3] = {options->input, options->output, options->error};
    int report[2] = {-1, -1};
    bool prepared = true;
    for (int i = 0; prepared && i < 3; i++) prepared = prepare_stream(&streams[i], wanted[i], i) == 0;
    if (!prepared || pipe_above_standard_streams(report) != 0) {
        int code = errno;
        drop_child_ends(streams);
        drop_parent_ends(streams);
        return fail(failure, CSPAWN_STEP_PIPE, code);
    }

    // Blocked until exec: a handler of the caller must not run in the child, on a copy of the caller's memory.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) become_program(options, streams, report[1], parent);
    int fork_code = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    close_quietly(&report[1]);
    drop_child_ends(streams);
    if (pid < 0) {
        close_quietly(&report[0]);
        drop_parent_ends(streams);
        return fail(failure, CSPAWN_STEP_FORK, fork_code);
    }
    // Here as well as in the child, so that the group exists before either goes on; EACCES after exec is fine.
    if (options->group == CSPAWN_NEW_GROUP) setpgid(pid, pid);
    bool failed = read_report(report[0], failure);
    close_quietly(&report[0]);
    if (failed) {
        cspawn_exit ignored;
        cspawn_reap(pid, true, &ignored);
        drop_parent_ends(streams);
        return -1;
    }
    process->pid = pid;
    process->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    process->input = streams[0].parent;
    process->output = streams[1].parent;
    process->error = streams[2].parent;
    return 0;
}

int cspawn_reap(pid_t pid, bool block, cspawn_exit *out) {
    int status = 0;
    pid_t found;
    do found = waitpid(pid, &status, block ? 0 : WNOHANG);
    while (found < 0 && errno == EINTR);
    if (found <= 0) return (int)found;
    out->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    out->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return 1;
}

bool cspawn_has_ended(pid_t pid) {
    siginfo_t info = {.si_pid = 0};
    int result;
    do result = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
    while (result < 0 && errno == EINTR);
    return result < 0 || info.si_pid == pid;
}
