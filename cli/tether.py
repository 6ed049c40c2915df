"""`python -m cli.tether SECONDS COMMAND…`: a command that ends with the process that started it.

The one who starts it holds the other end of its standard input. When that closes, because it is
closed or because its holder is gone, however it went, the command is asked to end, and after so
many seconds made to, with all that it started. The exit code is the command's.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

_LOOK_EVERY = 0.2
_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36


def main(arguments: Sequence[str]) -> int:
    """Run the command in `arguments` behind its grace period; return its exit code."""
    grace, command = float(arguments[0]), list(arguments[1:])
    stop = threading.Event()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stop.set())
    threading.Thread(target=_until_let_go, args=(stop,), daemon=True).start()
    child = _start(command)
    while child.poll() is None and not stop.wait(_LOOK_EVERY):
        pass
    if child.poll() is None:
        _ask_to_end(child)
        try:
            child.wait(timeout=grace)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    _end_what_is_left(child.pid)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _until_let_go(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    stop.set()


def _start(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    if sys.platform == "win32":
        group = subprocess.CREATE_NEW_PROCESS_GROUP
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, creationflags=group)  # noqa: S603
    return subprocess.Popen(  # noqa: S603 # as handed over by our own command line
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_dying_with_us(),  # noqa: PLW1509 # one system call, in a process of two threads
    )


def _dying_with_us() -> Callable[[], None] | None:
    """Have what is left behind come to us, and the child die should even we be killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return lambda: prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _ask_to_end(child: "subprocess.Popen[bytes]") -> None:
    if sys.platform == "win32":
        child.send_signal(signal.CTRL_BREAK_EVENT)
    else:
        child.terminate()


def _end_what_is_left(group: int) -> None:
    """Kill what the command started and left behind, sessions of its own included on Linux."""
    if sys.platform == "win32":
        return  # `up` ends the tree there
    with suppress(ProcessLookupError, PermissionError):  # nobody is left in it
        os.killpg(group, signal.SIGKILL)
    while sys.platform == "linux" and (left := _children()):
        for pid in left:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)  # its own children are ours then


def _children() -> list[int]:
    """Return the processes whose parent we are; those left behind too, as the reaper of all."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                # the command's name in parentheses may hold anything, spaces too
                fields = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            except OSError:
                continue  # gone meanwhile
            if int(fields[1]) == os.getpid():
                found.append(int(folder.name))
    return found


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # the thread that reads would wait for more
