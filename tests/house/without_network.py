"""Run where there is no network: install from a wheelhouse into a new environment, and use what was installed.

``python without_network.py WHEELHOUSE FOLDER``; ends with an error at the first thing that does not work.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
import struct
import subprocess
import sys
import urllib.request
from pathlib import Path

SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1  # netdevice(7)


def main(wheelhouse: Path, folder: Path) -> None:
    interfaces = [name for _, name in socket.if_nameindex()]
    assert interfaces == ["lo"], f"there is a network: {interfaces}"
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP))

    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PIP_CONFIG_FILE": os.devnull,
        "MINGJIAN_LANG": "en",
    }

    def run(*words: str) -> str:
        said = subprocess.run(
            words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True
        )
        return said.stdout

    run(sys.executable, "-m", "venv", "env")
    mingjian = str(folder / "env" / "bin" / "mingjian")
    run("env/bin/pip", "install", "--quiet", "--no-compile", "--no-index", "-f", str(wheelhouse), "mingjian")
    assert "mingjian" in run(mingjian, "--help")
    print(run(mingjian, "check", "three_portraits"))
    run(mingjian, "new", "scheme", "small")
    run(mingjian, "new", "workspace", "w", "--scheme", "small", "--by", "tester")

    shipped = run("env/bin/python", "-c", "from mingjian.workspace import shipped_example; print(shipped_example())")
    assert Path(shipped.strip(), "claims.toml").is_relative_to(folder / "env")

    serving = [mingjian, "serve", "-w", "w", "--port", "0"]
    with subprocess.Popen(serving, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            address = server.stdout.readline().strip()
            with urllib.request.urlopen(address, timeout=60) as page:
                content = page.read().decode()
            assert "<html" in content, content
            for linked in re.findall(r'(?:href|src)="(/static/[^"]+)"', content):
                with urllib.request.urlopen(address + linked, timeout=60) as file:
                    print(linked, len(file.read()))
        finally:
            server.terminate()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
