"""Runs a program that dies with its supervisor: `leash.py PARENT LOCK_FD PROGRAM ARGUMENT…`.

A script that needs nothing but the interpreter, so that it takes a few milliseconds; the pid
stays the same throughout. The lock is inherited: it is held as long as the program lives, and
the pid written into it is the holder's.

Next: deploy.children
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent, sign the lock, and become the program."""
    parent, lock = int(sys.argv[1]), int(sys.argv[2])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we could ask for the signal
        sys.exit(1)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    os.set_inheritable(lock, True)
    os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606  -- no shell is wanted


if __name__ == "__main__":
    main()
