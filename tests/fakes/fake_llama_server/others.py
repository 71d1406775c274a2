"""The endpoints that need a model which this repository cannot make: rerank and audio; and the small ones."""

from __future__ import annotations

import zlib
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any


def reranked(body: dict[str, Any], model: str) -> dict[str, Any]:
    """Documents by the share of their words that the query has, in llama-server's form: best first."""
    wanted = set(str(body["query"]).split())
    documents = body.get("documents", body.get("texts", []))
    scores = [len(wanted & set(text.split())) / max(1, len(text.split())) for text in documents]
    results = [{"index": index, "relevance_score": score} for index, score in enumerate(scores)]
    results.sort(key=lambda result: -result["relevance_score"])
    usage = {"prompt_tokens": len(documents), "total_tokens": len(documents)}
    return {"model": model, "object": "list", "usage": usage, "results": results[: body.get("top_n", len(results))]}


def transcribed(content_type: str, content: bytes) -> dict[str, Any]:
    """What was heard: how long the file is and its checksum, beside the other fields."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    fields = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + content).iter_parts():
        fields[str(part.get_param("name", header="content-disposition"))] = part.get_payload(decode=True)
    audio = fields.pop("file")
    said = {name: value.decode() for name, value in fields.items()}
    return {"text": f"{len(audio)} bytes, {zlib.crc32(audio)}", "fields": said}


def templated(body: dict[str, Any]) -> dict[str, Any]:
    """The prompt of a conversation."""
    return {"prompt": "".join(f"<{message['role']}>{message['content']}" for message in body["messages"])}
