"""Keeps a key in the keyring of the system that it is started in, and says what became of it: one JSON line."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from llamero.infrastructure.remote_keys import RemoteKeys


async def keep(directory: Path) -> dict[str, object]:
    await RemoteKeys(directory).set("api/model", "kept-by-the-system")
    keys = RemoteKeys(directory)
    told: dict[str, object] = {"where": await keys.where(), "key": await keys.get("api/model")}
    await keys.remove("api/model")
    return told | {"after": await RemoteKeys(directory).get("api/model"), "file": keys.file.exists()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(keep(Path(sys.argv[1])))))
