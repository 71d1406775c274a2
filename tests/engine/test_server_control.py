"""Loading and letting go by name, with the real engine: several names may share one server."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamero.application import running
from llamero.infrastructure.paths import find_paths
from llamero.infrastructure.settings_file import load_settings
from llamero.models.errors import ModelNotFound
from llamero.models.inference import InferenceRequest
from llamero.models.llama import LlamaCppConfig, ModelId, ServerPhase

BODY: dict[str, object] = {"messages": [{"role": "user", "content": "Hello"}], "stream": True, "temperature": 0}


async def test_model_is_let_go_by_any_of_its_names_and_without_cutting_an_answer(tmp_path: Path) -> None:
    paths = find_paths(tmp_path)
    async with running(paths, load_settings(paths.settings_file, {}, {})) as app:
        demo = app.catalog.config("demo")
        app.catalog.add(LlamaCppConfig(model=ModelId("other", demo.model.path)))
        await app.servers.load("demo", keep_alive_s=-1)
        (server,) = app.servers.status().servers
        assert (server.phase, server.keep_alive_s, server.expires_at) == (ServerPhase.READY, -1, None)
        async with app.inference.stream(InferenceRequest(model="demo", body=BODY)) as reply:
            pieces = aiter(reply)
            said = [await anext(pieces)]
            await app.servers.unload("other")
            assert [server.phase for server in app.servers.status().servers] == [ServerPhase.READY]
            said += [piece async for piece in pieces]
        assert said[-1].endswith(b"data: [DONE]\n\n")
        await app.servers.unload("other")
        assert app.servers.status().servers == ()
        with pytest.raises(ModelNotFound):
            await app.servers.unload("nobody")
