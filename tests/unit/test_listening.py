"""Sockets on both loopback families, and who is in the way."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from llamero.infrastructure.listening import PORT_SPAN, bind_listeners, port_holder
from llamero.infrastructure.messages import default_messages
from llamero.models.errors import IoFailed
from tests.fakes.unprivileged import as_nobody

PAIR = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]


@contextmanager
def bound(host: str, port: int, explicit: bool = True) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(closing(listener)) for listener in bind_listeners(host, port, explicit)]


@contextmanager
def occupied(family: socket.AddressFamily = socket.AF_INET, host: str = "127.0.0.1") -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind((host, 0))
        listener.listen()
        yield listener.getsockname()[1]


@contextmanager
def occupied_by_another_process() -> Iterator[tuple[int, int]]:
    """A port that another process listens on, and its pid."""
    script = (
        "import socket, sys; listener = socket.create_server(('127.0.0.1', 0));"
        "print(listener.getsockname()[1], flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline()), process.pid
        finally:
            process.kill()


def addresses(listeners: list[socket.socket]) -> list[tuple[int, str]]:
    return [(listener.family, listener.getsockname()[0]) for listener in listeners]


def port_of(listeners: list[socket.socket]) -> int:
    ports = {listener.getsockname()[1] for listener in listeners}
    assert len(ports) == 1
    return int(ports.pop())


def refusal(host: str, port: int, explicit: bool = True) -> IoFailed:
    with pytest.raises(IoFailed) as caught:
        bind_listeners(host, port, explicit)
    return caught.value


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "LOCALHOST"])
def test_listeners_of_loopback_are_both_families_on_one_port(host: str) -> None:
    with bound(host, 0) as listeners:
        assert addresses(listeners) == PAIR
        port = port_of(listeners)
        for family, address in PAIR:
            with socket.socket(family, socket.SOCK_STREAM) as client:
                client.connect((address, port))


def test_listeners_are_not_inherited_and_do_not_block() -> None:
    with bound("127.0.0.1", 0) as listeners:
        for listener in listeners:
            assert not listener.get_inheritable()
            assert not listener.getblocking()
            with pytest.raises(BlockingIOError):
                listener.accept()


def test_listeners_take_the_named_port() -> None:
    with occupied() as port:
        pass
    with bound("127.0.0.1", port) as listeners:
        assert port_of(listeners) == port


@pytest.mark.parametrize(("family", "host"), PAIR)
def test_listeners_of_a_busy_named_port_fail_and_name_who_holds_it(family: socket.AddressFamily, host: str) -> None:
    with occupied(family, host) as port:
        error = refusal("127.0.0.1", port)
        assert error.code == "port_error-in_use"
        assert error.arguments["port"] == port
        assert str(error.arguments["holder"]).endswith(f"(process {os.getpid()})")
        assert f"Port {port} is in use by " in default_messages().error(error)
        other = next(entry for entry in PAIR if entry[1] != host)
        with socket.socket(other[0], socket.SOCK_STREAM) as probe:
            assert probe.connect_ex((other[1], port)) != 0, "the other family was left open"


def test_listeners_of_a_busy_port_name_another_process() -> None:
    with occupied_by_another_process() as (port, pid):
        holder = port_holder(port)
        assert holder is not None and holder.startswith("python") and holder.endswith(f" (process {pid})")


def test_listeners_of_a_busy_port_whose_holder_may_not_be_seen_say_so() -> None:
    def attempt() -> tuple[str, dict[str, str | int | float]]:
        error = refusal("127.0.0.1", port)
        return error.code, error.arguments

    with occupied_by_another_process() as (port, _):
        code, arguments = as_nobody(attempt)
    assert code == "port_error-in_use"
    if os.geteuid() == 0:
        assert "a program that this user may not see" in default_messages().text(code, arguments)


def test_listeners_of_a_busy_default_port_move_on_to_the_next_free_one() -> None:
    with bound("127.0.0.1", 0) as first:
        port = port_of(first)
        with bound("127.0.0.1", port, explicit=False) as second:
            assert port < port_of(second) <= port + PORT_SPAN
            assert addresses(second) == PAIR


def test_listeners_of_a_default_port_skip_one_that_is_free_in_one_family_only() -> None:
    with occupied(socket.AF_INET6, "::1") as port, bound("127.0.0.1", port, explicit=False) as listeners:
        assert port_of(listeners) > port
        assert addresses(listeners) == PAIR


def test_listeners_of_a_default_port_give_up_when_all_behind_it_are_busy() -> None:
    with ExitStack() as stack:
        taken = stack.enter_context(bound("127.0.0.1", 65_535 - 2, explicit=False))
        start = port_of(taken)
        while port_of(taken) < 65_535:
            taken = stack.enter_context(bound("127.0.0.1", port_of(taken) + 1, explicit=True))
        error = refusal("127.0.0.1", start, explicit=False)
    assert (error.code, error.arguments["port"]) == ("port_error-in_use", start)


def test_listeners_take_a_port_again_right_after_its_connections_ended() -> None:
    with bound("127.0.0.1", 0) as listeners:
        port = port_of(listeners)
        listeners[0].setblocking(True)
        with socket.create_connection(("127.0.0.1", port)) as client:
            served, _ = listeners[0].accept()
            served.close()  # the side that closes first keeps the port in TIME_WAIT
            assert client.recv(1) == b""
    with bound("127.0.0.1", port) as again:
        assert port_of(again) == port


def test_listeners_of_all_addresses_are_both_families() -> None:
    with bound("::", 0) as listeners:
        assert addresses(listeners) == [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")]
    with bound("0.0.0.0", 0) as listeners:
        assert addresses(listeners) == [(socket.AF_INET, "0.0.0.0")]


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "no-such-host.invalid", "a..b", "x" * 300])
def test_listeners_of_an_address_elsewhere_are_refused(host: str) -> None:
    error = refusal(host, 0)
    assert error.code == "port_error-not_local"
    assert host in default_messages().error(error)


def test_listeners_of_a_low_port_need_permission() -> None:
    def attempt() -> str:
        try:
            for listener in bind_listeners("127.0.0.1", 81, True):
                listener.close()
        except IoFailed as error:
            return error.code
        return "bound"

    allowed = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 81
    assert as_nobody(attempt) == ("bound" if allowed else "port_error-no_permission")


def test_port_holder_of_a_free_port_is_nobody() -> None:
    with occupied() as port:
        pass
    assert port_holder(port) is None
