"""Keys of remote servers: in the keyring or a file for the user alone, and in no log."""

from __future__ import annotations

import asyncio
import stat
import sys
import threading
from pathlib import Path

import pytest

from llamero.infrastructure import remote_keys
from llamero.infrastructure.remote_keys import Keyring, RemoteKeys, system_keyring
from llamero.infrastructure.secret_masking import process_secrets
from llamero.models.errors import InvalidRequest, IoFailed, Unavailable
from llamero.models.remote import KeyPlace

KEY = "remote-0123456789abcdef"


class MemoryKeyring:
    """A keyring that works, fails or hangs."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.error: Exception | None = None
        self.hang: threading.Event | None = None
        self.reads = 0

    def _misbehave(self) -> None:
        if self.error is not None:
            raise self.error
        if self.hang is not None:
            self.hang.wait(30)

    def get_password(self, service: str, username: str) -> str | None:
        self._misbehave()
        self.reads += 1
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._misbehave()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._misbehave()
        del self.kept[service, username]


def keys_in(directory: Path, keyring: Keyring | None, timeout_s: float = 10.0) -> RemoteKeys:
    return RemoteKeys(directory, find_keyring=lambda: keyring, timeout_s=timeout_s)


def files_in(directory: Path) -> list[Path]:
    return list(directory.iterdir())


@pytest.mark.parametrize("keyring", [MemoryKeyring(), None], ids=["keyring", "file"])
async def test_remote_key_is_kept_replaced_and_forgotten(tmp_path: Path, keyring: MemoryKeyring | None) -> None:
    keys = keys_in(tmp_path, keyring)
    assert await keys.get("a") is None
    await keys.set("a", KEY)
    await keys.set("b/with:signs", "other-key")
    await keys.set("a", KEY + "2")
    again = keys_in(tmp_path, keyring)
    assert (await again.get("a"), await again.get("b/with:signs")) == (KEY + "2", "other-key")
    await again.remove("a")
    await again.remove("a")
    assert (await again.get("a"), await again.get("b/with:signs")) == (None, "other-key")
    assert await keys_in(tmp_path, keyring).get("a") is None


async def test_remote_key_with_a_keyring_is_in_no_file(tmp_path: Path) -> None:
    keys = keys_in(tmp_path, MemoryKeyring())
    await keys.set("a", KEY)
    assert await keys.where() is KeyPlace.KEYRING
    assert not [file for file in files_in(tmp_path) if KEY in file.read_text()]
    assert [file.read_text() for file in files_in(tmp_path)] == ['["a"]'], "nothing but what it is called"
    await keys.remove("a")
    assert files_in(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
async def test_remote_key_without_a_keyring_is_in_a_file_for_the_user_alone(tmp_path: Path) -> None:
    keys = keys_in(tmp_path, None)
    await keys.set("a", KEY)
    assert await keys.where() is KeyPlace.FILE
    assert stat.S_IMODE(keys.file.stat().st_mode) == 0o600
    assert files_in(tmp_path) == [keys.file]


async def test_remote_key_of_the_file_is_found_by_a_keyring_that_came_later(tmp_path: Path) -> None:
    await keys_in(tmp_path, None).set("a", KEY)
    keys = keys_in(tmp_path, MemoryKeyring())
    assert await keys.get("a") == KEY
    await keys.set("a", KEY)
    assert not keys.file.exists(), "it is in the keyring now"


async def test_remote_keys_of_the_keyring_are_all_forgotten_without_a_database_that_names_them(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    await keys_in(tmp_path, keyring).set("a", KEY)
    await keys_in(tmp_path, keyring).set("b", KEY)
    keyring.kept[keys_in(tmp_path, keyring).service, "of an older version"] = KEY
    assert await keys_in(tmp_path, keyring).forget_all(["of an older version", "without a key"]) == frozenset()
    assert (keyring.kept, files_in(tmp_path)) == ({}, [])


async def test_remote_keys_that_cannot_be_forgotten_are_named(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    await keys_in(tmp_path, keyring).set("a", KEY)
    assert await keys_in(tmp_path, None).forget_all([]) == {"a"}, "no keyring in this session"
    keyring.error = RuntimeError("locked")
    assert await keys_in(tmp_path, keyring).forget_all([]) == {"a"}
    keyring.error = None
    assert await keys_in(tmp_path, keyring).forget_all([]) == frozenset()


async def test_remote_keys_whose_names_are_damaged_are_said_to_be_unknown(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    await keys_in(tmp_path, keyring).set("a", KEY)
    (tmp_path / "remote-key-names.json").write_text("{")
    with pytest.raises(IoFailed):
        await keys_in(tmp_path, keyring).forget_all(["a"])
    assert keyring.kept == {}, "what is known is forgotten all the same"
    await keys_in(tmp_path, keyring).set("b", KEY)
    assert await keys_in(tmp_path, keyring).forget_all([]) == frozenset()


async def test_remote_keys_of_two_data_directories_do_not_meet(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    await keys_in(tmp_path / "one", keyring).set("a", KEY)
    assert await keys_in(tmp_path / "two", keyring).get("a") is None


async def test_remote_key_that_another_process_has_changed_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, command = keys_in(tmp_path, None), keys_in(tmp_path, None)
    assert await server.get("a") is None
    await command.set("a", KEY)
    assert await server.get("a") == KEY
    await command.set("a", KEY + "2")
    monkeypatch.setattr(remote_keys, "FRESH_S", 0.0)
    assert await server.get("a") == KEY + "2"


async def test_remote_key_is_not_looked_up_for_every_request(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    await keys_in(tmp_path, keyring).set("a", KEY)
    keys = keys_in(tmp_path, keyring)
    assert [await keys.get("a") for _ in range(50)] == [KEY] * 50
    assert keyring.reads == 1


@pytest.mark.parametrize("key", ["", "with space", "two\nlines", "ümlaut", "x" * 5000])
async def test_remote_key_that_could_not_stand_in_a_header_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(InvalidRequest):
        await keys_in(tmp_path, None).set("a", key)


async def test_remote_key_keyring_that_hangs_is_an_error_in_time(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    keyring.hang = threading.Event()
    keys = keys_in(tmp_path, keyring, timeout_s=0.05)
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await keys.get("a")
    keyring.hang.set()


async def test_remote_key_keyring_that_refuses_does_not_tell_the_key(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    keyring.error = RuntimeError(f"cannot keep {KEY}")
    keys = keys_in(tmp_path, keyring)
    with pytest.raises(IoFailed) as caught:
        await keys.set("a", KEY)
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert not keys.file.exists(), "a keyring that refuses is no reason to write the key to a file"


async def test_remote_key_search_for_a_keyring_that_fails_or_hangs_means_file(tmp_path: Path) -> None:
    def broken() -> Keyring | None:
        raise RuntimeError("no bus")

    release = threading.Event()

    def hanging() -> Keyring | None:
        release.wait(30)
        return None

    assert await RemoteKeys(tmp_path, find_keyring=broken).where() is KeyPlace.FILE
    assert await RemoteKeys(tmp_path, find_keyring=hanging, timeout_s=0.05).where() is KeyPlace.FILE
    release.set()


async def test_remote_key_file_that_is_damaged_is_an_error_and_stays(tmp_path: Path) -> None:
    keys = keys_in(tmp_path, None)
    keys.file.write_bytes(b"{not json")
    with pytest.raises(IoFailed):
        await keys.get("a")
    with pytest.raises(IoFailed):
        await keys.set("a", KEY)
    assert keys.file.read_bytes() == b"{not json"


async def test_remote_key_is_masked_in_logs_once_it_is_known(tmp_path: Path) -> None:
    await keys_in(tmp_path, None).set("a", "known-by-nobody-else")
    assert "known-by-nobody-else" not in process_secrets.apply("sent known-by-nobody-else", 1000)


def test_system_keyring_where_there_is_none_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    from keyring.backends import fail

    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    try:
        assert system_keyring() is None
    finally:
        keyring.set_keyring(before)
