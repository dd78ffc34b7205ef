"""Runs whole processes and says what they cost."""
import os
import subprocess
import sys
import tempfile
import time


def measure(command, environment):
    """Wall and CPU seconds of a process with its children, and the peak memory of the largest of them in MB."""
    command = [str(word) for word in command]
    with tempfile.TemporaryFile() as errors, open(os.devnull, "r+b") as null:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdin=null, stdout=null, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            sys.exit(f"bench: {' '.join(command)} failed: {errors.read().decode(errors='replace')}")
    return {"wall s": wall, "CPU s": usage.ru_utime + usage.ru_stime, "peak MB": usage.ru_maxrss / 1024}


def quietly(command, environment=None):
    """Runs a step that is not measured."""
    done = subprocess.run(
        [str(word) for word in command], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, command))} failed: {done.stderr}")
    return done.stdout


def pair(number, ours, theirs):
    """Calls both, the second first in every other pair; their figures in the order ours, theirs."""
    os.sync()
    if number % 2 == 0:
        first = ours()
        os.sync()
        return first, theirs()
    second = theirs()
    os.sync()
    return ours(), second


def warm(directory):
    """Reads every file below once, so that it is in memory."""
    buffer = bytearray(1 << 20)
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass


def size_of(directory):
    """The bytes of all files below, in MB."""
    total = 0
    for folder, _, names in os.walk(directory):
        total += sum(os.lstat(os.path.join(folder, name)).st_size for name in names)
    return {"MB": total / 1e6}
