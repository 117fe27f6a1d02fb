"""`mingjian` for pages with a hundred commands: one process imports it, and each command is a fork of that process.

What runs is `mingjian.cli.main` all the same, with the arguments, folder, environment and files of whoever typed it; only
the two seconds of imports are spent once. That a fresh process does as well is tried in tests/cli. Its standard input is a
listening socket; who types connects, sends three files and what was typed, and reads one byte: the exit code.
"""

from __future__ import annotations

import array
import importlib
import json
import os
import signal
import socket
import sys

# What commands import where they first need it, so that no fork has to.
WANTED = ("ibis.backends.duckdb", "mingjian.workspace", "pandas", "pydantic", "rich.console")


def _serve(listening: socket.socket) -> None:
    for wanted in WANTED:
        importlib.import_module(wanted)
    from mingjian.cli import main

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    while True:
        line, _ = listening.accept()
        if os.fork():
            line.close()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _become(line)
        code: str | int | None = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        sys.stdout.flush()
        assert code is None or isinstance(code, int)
        line.sendall(bytes([code or 0]))
        os._exit(0)


def _become(line: socket.socket) -> None:
    """Take over the arguments, folder, environment and files of the caller."""
    head, ancillary, _, _ = line.recvmsg(4, socket.CMSG_SPACE(3 * array.array("i").itemsize))
    descriptors = array.array("i", ancillary[0][2])
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    call = b""
    while len(call) < int.from_bytes(head, "big"):
        call += line.recv(2**16)
    sys.argv, folder, environment = json.loads(call)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


if __name__ == "__main__":
    _serve(socket.socket(fileno=os.dup(0)))
