"""OpenAI's own JavaScript client against the gateway. Node's fetch sends `Sec-Fetch-Mode`, as browsers do."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "build"))

from build_frontend import node_folder  # noqa: E402


def test_javascript_client_chats_streams_calls_tools_embeds_and_is_refused(served: str) -> None:
    node = shutil.which("node", path=str(node_folder()))
    assert node
    script = Path(__file__).with_name("openai_client.mjs")
    done = subprocess.run([node, str(script), served], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    assert {"demo", "tools", "embed"} <= set(got["models"])
    assert got["streamed"] == got["whole"] != ""
    assert got["tool"] == "get_weather"
    assert got["dimensions"] > 1
    assert got["refused"] == {"kind": "NotFoundError", "status": 404, "code": "model_not_found", "param": "model"}
