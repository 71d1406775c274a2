"""The description as a page: one document without script and without anything from elsewhere."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterator, Mapping
from html import escape

from llamero import __version__
from llamero.gateway.description.document import ABOUT, DIALECTS, OPERATIONS
from llamero.gateway.description.operations import Operation
from llamero.gateway.dialects import Dialect, dialect_of
from llamero.gateway.rules import RULES

# Stands in the page for the address by which it was asked for.
ADDRESS = "http://127.0.0.1:5526"
KEYS = (
    "Where a key is needed, send it as `Authorization: Bearer KEY` or `x-api-key: KEY`. Programs on this machine need "
    "none unless the settings say so, and any that they send will do. Errors come in the dialect of the route."
)


def build_page(document: Mapping[str, object]) -> str:
    """Return the page for `document`. Every text in it is escaped."""
    by_dialect = {
        dialect: [operation for operation in OPERATIONS if dialect_of(operation.path) is dialect]
        for dialect in DIALECTS
    }
    sections = {dialect: operations for dialect, operations in by_dialect.items() if operations}
    schemas: Mapping[str, Mapping[str, object]] = document["components"]["schemas"]  # type: ignore[index]
    body = "".join(_section(dialect, operations, schemas) for dialect, operations in sections.items())
    links = "".join(f'<a href="#{dialect.value}">{escape(DIALECTS[dialect][0])}</a>' for dialect in sections)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Llamero API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="stylesheet" href="/docs/style.css"></head>'
        f"<body><header><h1>Llamero API</h1><p>Version {escape(__version__)}</p></header>"
        f'<nav aria-label="Dialects">{links}<a href="/openapi.json">openapi.json</a></nav>'
        f"<main><p>{_text(ABOUT)}</p><p>{_text(KEYS)}</p>{body}</main></body></html>"
    )


def _section(dialect: Dialect, operations: list[Operation], schemas: Mapping[str, Mapping[str, object]]) -> str:
    name, about = DIALECTS[dialect]
    articles = "".join(_article(operation, schemas) for operation in operations)
    return f'<section id="{dialect.value}"><h2>{escape(name)}</h2><p>{_text(about)}</p>{articles}</section>'


def _article(operation: Operation, schemas: Mapping[str, Mapping[str, object]]) -> str:
    method, path = operation.method, operation.path
    scope = RULES[operation.route].scope
    takes = "No key needed." if scope is None else f"Key for {scope.value}."
    parts = [
        f'<article><h3><span class="method {method.lower()}">{method}</span> <code>{escape(path)}</code></h3>',
        f"<p>{_text(operation.summary)}. {_text(operation.text)}</p>",
    ]
    parts += [f"<p><code>{escape(one.name)}</code>: {_text(one.text)}</p>" for one in operation.parameters]
    if operation.events is not None:
        kind, text = operation.events
        parts.append(f"<p>With <code>stream</code>, <code>{escape(kind)}</code>: {_text(text)}</p>")
    if operation.request is not None:
        (kind,) = typing.get_args(operation.request) or (operation.request,)
        rows = "".join(_rows(schemas[kind.__name__]))
        if rows:
            parts.append(f"<details><summary>Fields</summary><table><tbody>{rows}</tbody></table></details>")
    parts.append(
        f'<pre tabindex="0"><code>{escape(_curl(operation))}</code></pre><p class="note">{takes}</p></article>'
    )
    return "".join(parts)


def _rows(schema: Mapping[str, object]) -> Iterator[str]:
    """One line for each field of a request."""
    needed = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():  # type: ignore[attr-defined]
        must = "required" if name in needed else ""  # type: ignore[operator]
        yield (
            f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{escape(_kind(field))}</td>'
            f"<td>{must}</td><td>{_text(_about(field))}</td></tr>"
        )


def _kind(field: Mapping[str, object]) -> str:
    """Name a field's type in a word or two; null goes without saying for what may be left out."""
    if "$ref" in field:
        return "object"
    if "enum" in field:
        return " or ".join(str(value) for value in field["enum"] if value is not None)  # type: ignore[attr-defined]
    choices = field.get("anyOf")
    if isinstance(choices, list):
        kinds = dict.fromkeys(_kind(choice) for choice in choices)
        return " or ".join(kind for kind in kinds if kind != "null")
    return str(field.get("type", "anything"))


def _about(field: Mapping[str, object]) -> str:
    choices = field.get("anyOf")
    texts = [field.get("description")]
    texts += [choice.get("description") for choice in choices] if isinstance(choices, list) else []
    return next((str(text) for text in texts if text), "")


def _curl(operation: Operation) -> str:
    address = ADDRESS + operation.path
    for parameter in operation.parameters:
        if parameter.place == "path":
            address = address.replace(f"{{{parameter.name}}}", parameter.example)
    asked = [one for one in operation.parameters if one.place == "query" and one.example]
    query = "&".join(f"{one.name}={one.example}" for one in asked)
    if query:
        address = f"'{address}?{query}'"
    lines = [f"curl {address}"]
    if operation.form:
        lines += ["-F model=MODEL", "-F file=@recording.wav"]
    elif operation.example is not None:
        lines.append(f"-d '{json.dumps(operation.example)}'")
    elif operation.method != "GET":
        lines[0] = f"curl -X {operation.method} {address}"
    return " \\\n  ".join(lines)


def _text(text: str) -> str:
    """Escape a sentence; what stands between backticks is code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))
