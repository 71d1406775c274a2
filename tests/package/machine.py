"""A Debian system that runs: with processes, devices and a loopback of its own, and no other network.

It is entered by namespaces, and its root is changed by pivot_root, as a container's is: in a mere chroot nobody may
make the user namespace that the browser's sandbox is. The display is the one of the tests.
"""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.package.debian_system import USER, USER_ID, DebianSystem

_START = """set -e
mount --make-rprivate /
mount --rbind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount --rbind /dev dev
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=0755 tmpfs run
mount --bind /tmp/.X11-unix tmp/.X11-unix
mount --bind -o ro "$2" mnt && mount -o remount,bind,ro mnt
ip link set lo up
pivot_root . .
umount -l .
cd /
echo ready
while sleep 3600; do :; done
"""
_NETWORK = 0x40000000  # CLONE_NEWNET of <sched.h>


class Machine:
    """What runs of a system."""

    def __init__(self, system: DebianSystem, init: int) -> None:
        self.system = system
        self._init = init

    def command(self, *command: str, environment: Mapping[str, str] | None = None) -> list[str]:
        """The argv that runs a command in the machine, as its ordinary user."""
        variables = {
            "HOME": f"/home/{USER}",
            "USER": USER,
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            **(environment or {}),
        }
        return [
            "nsenter", "--target", str(self._init), "--mount", "--net", "--pid", f"--wdns=/home/{USER}",
            "setpriv", f"--reuid={USER_ID}", f"--regid={USER_ID}", "--init-groups", "--inh-caps=-all",
            "env", "--ignore-environment", *(f"{name}={value}" for name, value in variables.items()), *command,
        ]  # fmt: skip

    def run(self, *command: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        argv = self.command(*command, environment=environment)
        return subprocess.run(argv, capture_output=True, encoding="utf-8", timeout=120, check=False)

    def processes(self) -> list[psutil.Process]:
        """Everything that runs in the machine, but for what keeps it running. Zombies do not run."""
        home = _namespace(self._init)
        family = {self._init, *(child.pid for child in psutil.Process(self._init).children())}
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):  # it has ended meanwhile
                keeps_running = process.pid in family and process.name() in ("sh", "sleep")
                is_zombie = process.status() == psutil.STATUS_ZOMBIE
                if _namespace(process.pid) == home and not keeps_running and not is_zombie:
                    found.append(process)
        return found

    @contextmanager
    def network(self) -> Iterator[None]:
        """Be on the machine's loopback: what this thread connects to meanwhile, and what it starts, is there."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net") as own, open(f"/proc/{self._init}/ns/net") as its:  # noqa: PTH123
            _enter(libc, its.fileno())
            try:
                yield
            finally:
                _enter(libc, own.fileno())


@contextmanager
def running(system: DebianSystem, visible: Path) -> Iterator[Machine]:
    """Run a system. `visible` is a folder of this machine that it sees, read-only, at `/mnt`."""
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", _START, "init"]
    argv = [*command, str(system.root), str(visible)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline() == "ready\n", process.stderr.read()
            init = psutil.Process(process.pid).children()[0].pid
            yield Machine(system, init)
        finally:
            process.kill()


def _namespace(pid: int) -> str:
    return str(Path(f"/proc/{pid}/ns/pid").readlink())


def _enter(libc: ctypes.CDLL, descriptor: int) -> None:
    if libc.setns(descriptor, _NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "setns")
