"""The lock of the page's packages is made by the npm that comes with Node, wherever that is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from build_frontend import FRONTEND, node_folder, npm_command


def test_lock_that_is_made_again_offline_is_the_same_and_has_no_addresses(tmp_path: Path) -> None:
    node = node_folder()
    if node is None:
        pytest.skip("no Node here")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(FRONTEND / name, tmp_path)
    shutil.copytree(FRONTEND / "scripts", tmp_path / "scripts")
    lock = tmp_path / "package-lock.json"
    before = lock.read_bytes()
    with_addresses = json.loads(before)
    for entry in with_addresses["packages"].values():
        entry["funding"] = {"url": "https://example.com"}
    lock.write_text(json.dumps(with_addresses))
    environment = {**os.environ, "npm_config_offline": "true", "npm_config_cache": str(tmp_path / "cache")}
    environment["PATH"] = f"{node}{os.pathsep}{environment['PATH']}"
    command = [*npm_command(node), "run", "--silent", "lock"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=120)
    assert lock.read_bytes() == before
    assert b"://" not in before
