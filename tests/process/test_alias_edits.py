"""Aliases as the app composes them, around a fake engine: an edit counts from the next request on and cuts nobody."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from llamero.application import Application, running
from llamero.infrastructure.paths import find_paths
from llamero.infrastructure.settings_file import load_settings
from llamero.infrastructure.storage.database import Database
from llamero.models.aliases import UserAlias
from llamero.models.errors import ModelNotFound
from llamero.models.inference import InferenceRequest
from llamero.models.llama import Engine
from tests.fakes.hub_cache import write_model
from tests.fakes.launch import REPOSITORY, fake_engine, starts
from tests.process.support import eventually
from tests.process.world import QUESTION, told


@asynccontextmanager
async def application(tmp_path: Path, engine: Engine) -> AsyncIterator[tuple[Application, UserAlias]]:
    paths = find_paths(tmp_path / "data")
    model = write_model(tmp_path / "m.gguf")
    settings = load_settings(paths.settings_file, {}, {"engine.path": engine.command[0]})
    async with running(paths, settings) as app:
        yield app, UserAlias(name="house", file=str(model), context_length=512)


async def ask(app: Application, name: str = "house") -> str:
    """A whole streamed answer."""
    body: dict[str, object] = {"model": name, "messages": QUESTION, "stream": True}
    async with app.inference.stream(InferenceRequest(model=name, body=body)) as answer:
        result = told([piece async for piece in answer])
    result.assert_well_formed()
    return result.text


def command_line(app: Application) -> list[str]:
    (server,) = app.actor.snapshot.servers
    assert server.pid is not None
    return psutil.Process(server.pid).cmdline()


def context_of(app: Application) -> str:
    arguments = command_line(app)
    return arguments[arguments.index("--ctx-size") + 1]


async def test_edit_waits_for_the_stream_that_runs_and_counts_for_the_next_request(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path / "engine", words=60, tokens_per_second=60)
    async with application(tmp_path, engine) as (app, alias):
        await app.aliases.save(alias)
        first = asyncio.create_task(ask(app))
        await eventually(lambda: any(server.leases for server in app.actor.snapshot.servers))
        before = app.actor.snapshot.servers[0].generation
        await app.aliases.save(replace(alias, context_length=1024))
        second = asyncio.create_task(ask(app))
        whole = await first
        assert len(whole.split()) >= 60, "the running stream is not cut"
        assert await second == whole
        assert context_of(app) == "1024"
        assert app.actor.snapshot.servers[0].generation > before


async def test_edit_of_what_the_engine_does_not_see_keeps_the_server(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path / "engine")
    async with application(tmp_path, engine) as (app, alias):
        await app.aliases.save(alias)
        await ask(app)
        await app.aliases.save(replace(alias, defaults={"temperature": 0.1}, system_prompt="Be brief."))
        await app.aliases.rename("house", "home")
        assert await ask(app, "home")
        with pytest.raises(ModelNotFound):
            await ask(app, "house")
    assert starts(engine) == 1


async def test_two_aliases_of_one_model_share_its_server(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path / "engine")
    async with application(tmp_path, engine) as (app, alias):
        await app.aliases.save(alias)
        await app.aliases.save(replace(alias, name="home", defaults={"temperature": 0.1}))
        assert await ask(app, "house") == await ask(app, "home")
    assert starts(engine) == 1


EDITOR = """
import asyncio, sys
from pathlib import Path
from llamero.infrastructure.storage.aliases import AliasStore
from llamero.infrastructure.storage.database import Database
from llamero.models.aliases import UserAlias
from llamero.services.aliases import AliasBook

async def main():
    database = await Database.open(Path(sys.argv[1]))
    store = AliasStore(database)
    book = AliasBook(store)
    print("open", flush=True)
    for line in sys.stdin:
        await book.save(UserAlias(name="house", file="/m.gguf", context_length=int(line)))
        print("saved", flush=True)
    await database.close()

asyncio.run(main())
"""


async def test_edit_of_another_process_is_seen_by_the_next_request_of_this_one(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path / "engine")
    async with application(tmp_path, engine) as (app, _):
        editor = await asyncio.create_subprocess_exec(
            sys.executable, "-c", EDITOR, str(app.paths.data_dir / "llamero.db"),
            cwd=REPOSITORY, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert editor.stdin is not None
        assert editor.stdout is not None
        assert await editor.stdout.readline() == b"open\n"
        with pytest.raises(ModelNotFound):
            await app.router.resolve("house")
        for length in range(100, 200):
            editor.stdin.write(b"%d\n" % length)
            assert await editor.stdout.readline() == b"saved\n"
            table = await app.aliases.current()
            alias = table.named["house"]
            assert isinstance(alias, UserAlias)
            assert alias.context_length == length
        editor.stdin.close()
        assert await editor.wait() == 0


async def test_writes_of_conversations_meanwhile_do_not_make_an_edit_unseen(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path / "engine")
    async with application(tmp_path, engine) as (app, alias):
        assert app.database is not None
        await app.aliases.current()
        other = await Database.open(app.paths.data_dir / "llamero.db")
        for number in range(50):
            await app.database.write(
                lambda c, n=number: c.execute("REPLACE INTO ui_state VALUES ('n', ?)", (n,)) and None
            )
            name = f"name-{number}"
            data = f'{{"type":"user","name":"{name}","file":"{alias.file}"}}'
            await other.write(
                lambda c, n=name, d=data: c.execute("INSERT INTO aliases (name, alias) VALUES (?, ?)", (n, d)) and None
            )
            assert name in (await app.aliases.current()).named
        await other.close()
