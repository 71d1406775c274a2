"""The sockets that the gateway listens on, opened by us before anything is promised.

Loopback means 127.0.0.1 and ::1 on the same port, since `localhost` may be either; a machine without IPv6 has the
first only. A socket that is returned already listens: between `bind` and `listen` Linux would let another program bind
the same port. Sockets are not inherited by children and do not block.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from collections.abc import Sequence

from llamero.infrastructure.plain_text import one_line
from llamero.models.errors import IoFailed

BACKLOG = 128
# How many ports behind the default one are tried.
PORT_SPAN = 20
_ANY_PORT_ROUNDS = 20

Address = tuple[socket.AddressFamily, str]

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
_LOOPBACK: tuple[Address, ...] = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_EVERYWHERE: tuple[Address, ...] = ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))  # noqa: S104
_TAKEN = {errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)}
_REFUSED = {errno.EACCES, errno.EPERM, getattr(errno, "WSAEACCES", errno.EACCES)}
_NO_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}


def bind_listeners(host: str, port: int, explicit: bool) -> list[socket.socket]:
    """Open listening sockets for `host` on one port; 0 takes any that is free for every address.

    `explicit`: a person named this port, so another would be wrong; otherwise the next `PORT_SPAN` are tried too.
    Raises `IoFailed`: `port_error-in_use` (`port`, `holder`), `-no_permission` (`port`) or `-not_local` (`host`).
    """
    addresses = _addresses(host)
    if port == 0:
        return _bind_any(host, addresses)
    last = port if explicit else min(port + PORT_SPAN, 65_535)
    for candidate in range(port, last + 1):
        try:
            return _bind_all(addresses, candidate)
        except OSError as error:
            if error.errno in _REFUSED and (explicit or candidate == last):
                raise IoFailed("port_error-no_permission", port=port) from error
            if error.errno not in _TAKEN | _REFUSED:
                raise _not_local(host, error) from error
    raise IoFailed("port_error-in_use", port=port, holder=port_holder(port) or "")


def port_holder(port: int) -> str | None:
    """Name who listens on a TCP port, as "name (process 123)"; None when nobody is seen or seeing is not permitted."""
    import psutil  # 29 ms, only for a fault

    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return None
    for connection in connections:
        here = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        if here and connection.pid is not None:  # None: the process of another user
            name = ""
            with contextlib.suppress(psutil.Error):
                name = psutil.Process(connection.pid).name()
            return f"{one_line(name, 60)} (process {connection.pid})" if name else f"process {connection.pid}"
    return None


def _addresses(host: str) -> Sequence[Address]:
    if host.lower() in _LOOPBACK_NAMES:
        return _LOOPBACK
    if host in ("::", "[::]"):
        return _EVERYWHERE
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise _not_local(host, error) from error
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _bind_any(host: str, addresses: Sequence[Address]) -> list[socket.socket]:
    """Let the system choose a port for the first address, again until it is free for all the others."""
    for _ in range(_ANY_PORT_ROUNDS):
        try:
            return _bind_all(addresses, 0)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise _not_local(host, error) from error
    raise IoFailed("port_error-in_use", port=0, holder="")


def _bind_all(addresses: Sequence[Address], port: int) -> list[socket.socket]:
    """Listen on every address or on none. Raises `OSError`; an address family that is switched off is left out."""
    listeners: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, address in addresses:
            try:
                listeners.append(_listen(family, address, port))
            except OSError as error:
                if error.errno not in _NO_FAMILY:
                    raise
                missing = error
            else:
                port = port or listeners[0].getsockname()[1]
        if missing is not None and not listeners:
            raise missing
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _listen(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":  # where SO_REUSEADDR would let any program take the port over
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # a restart need not wait for the connections of the last run to time out
            _refuse_if_shadowed(family, address, port)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _refuse_if_shadowed(family: socket.AddressFamily, address: str, port: int) -> None:
    """On macOS SO_REUSEADDR lets 127.0.0.1 be bound in front of a program that listens on all addresses: ask first."""
    if sys.platform != "darwin" or port == 0:
        return
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.2)
        if probe.connect_ex((address, port)) == 0:
            raise OSError(errno.EADDRINUSE, "Address already in use")


def _not_local(host: str, error: Exception) -> IoFailed:
    reason = error.strerror if isinstance(error, OSError) else None
    return IoFailed("port_error-not_local", host=host, reason=reason or "")
