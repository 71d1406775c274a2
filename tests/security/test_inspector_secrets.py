"""What a client proves itself with never gets into the inspector, wherever it is sent."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from tests.fakes.launch import fake_engine
from tests.gateway.harness import send
from tests.gateway.inspected import inspected

KEY = "gateway-key-0123456789"
SECRETS = (KEY, "bearer-of-another-program", "cookie-secret-0815", "key-in-the-query-4711", "sk-of-somebody-else-99")


async def test_keys_in_headers_and_queries_are_never_in_an_entry(tmp_path: Path) -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}).encode()
    async with inspected(fake_engine(tmp_path, words=3), key=KEY) as at:
        for headers in (
            {"Authorization": f"Bearer {KEY}", "Cookie": "session=cookie-secret-0815"},
            {"X-Api-Key": KEY, "User-Agent": "tool/1 (sk-of-somebody-else-99)"},
            {"Authorization": "Bearer bearer-of-another-program"},
        ):
            await send(at.gateway, "POST", "/v1/chat/completions?key=key-in-the-query-4711", headers, body)
        details = [at.inspector.details(one.id) for one in at.inspector.listed().requests]
        assert [one.summary.status for one in details] == [401, 200, 200]
        shown = msgspec.json.encode(details).decode()
    for secret in SECRETS:
        assert secret not in shown
