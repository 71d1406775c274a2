"""Reads and changes the text fields of a multipart body where it lies: its files are neither decoded nor copied.

Format: RFC 7578, RFC 2046 section 5.1.1. A delimiter counts at the beginning of a line only, so a file may hold
anything else. Invariant: a field is what every reader behind us takes it for; a body that two readers could read
differently (a field given twice, a part without an end) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message

import msgspec

from llamero.models.errors import InvalidRequest, UnsupportedMediaType
from llamero.models.inference import Form

MULTIPART = "multipart/form-data"
MAX_PARTS = 100
MAX_PART_HEAD_BYTES = 8 * 1024
MAX_TEXT_BYTES = 4 * 1024
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_TOKEN = re.compile(r"[0-9A-Za-z'+_.-]+")
_HEAD_END = b"\r\n\r\n"


class _Part(msgspec.Struct, frozen=True):
    """A part's name, and where its content lies."""

    name: str
    start: int
    end: int


def read_form(content_type: str, content: bytes) -> Form:
    """Take a body as a form, its type reduced to what a server needs to read it.

    Raises UnsupportedMediaType for what is no multipart form, InvalidRequest for one without a boundary.
    """
    boundary = _boundary(content_type).decode()
    return Form(f"{MULTIPART}; boundary={boundary if _TOKEN.fullmatch(boundary) else _quoted(boundary)}", content)


def text_field(form: Form, name: str) -> str | None:
    """Return a field, None where there is none.

    Raises UnsupportedMediaType for what is no multipart form, InvalidRequest for a broken or ambiguous one.
    """
    part = _find(form, name)
    if part is None:
        return None
    if part.end - part.start > MAX_TEXT_BYTES:
        raise InvalidRequest("request_error-form", reason=f"'{name}' is too long", param=name)
    try:
        return form.content[part.start : part.end].decode()
    except UnicodeDecodeError:
        raise InvalidRequest("request_error-form", reason=f"'{name}' is not UTF-8", param=name) from None


def has_field(form: Form, name: str) -> bool:
    """Is there a field or a file of that name? Raises as `text_field` does."""
    return _find(form, name) is not None


def with_text_field(form: Form, name: str, value: str) -> Form:
    """Return the form with another value in a field that it has. Raises as `text_field` does."""
    part = _find(form, name)
    if part is None:
        raise InvalidRequest("request_error-missing_param", param=name)
    view = memoryview(form.content)
    content = b"".join((view[: part.start], value.encode(), view[part.end :]))
    return Form(form.content_type, content)


def _find(form: Form, name: str) -> _Part | None:
    found = [part for part in _parts(form) if part.name == name]
    if len(found) > 1:
        raise InvalidRequest("request_error-form", reason=f"'{name}' is given twice", param=name)
    return found[0] if found else None


def _parts(form: Form) -> Iterator[_Part]:
    content = form.content
    delimiter = b"\r\n--" + _boundary(form.content_type)
    # The first delimiter may be the beginning of the body, without a line end before it.
    at = -2 if content.startswith(delimiter[2:]) else content.find(delimiter)
    for _ in range(MAX_PARTS):
        if at == -1:
            raise _broken("it does not end")
        line_end = content.find(b"\r\n", at + len(delimiter))
        rest = content[at + len(delimiter) : line_end if line_end != -1 else None]
        if rest.startswith(b"--"):
            return
        if line_end == -1 or rest.strip(b" \t"):
            raise _broken("a line that begins like its boundary")
        # A part without headers has its empty line at once.
        head_end = content.find(_HEAD_END, line_end, line_end + MAX_PART_HEAD_BYTES)
        if head_end == -1 or delimiter in content[line_end:head_end]:
            raise _broken("a part without an end to its headers")
        at = content.find(delimiter, head_end + 2)
        yield _Part(_name(content[line_end + 2 : head_end]), head_end + len(_HEAD_END), at)
    raise _broken(f"more than {MAX_PARTS} parts")


def _boundary(content_type: str) -> bytes:
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    if header.get_content_type() != MULTIPART:
        raise UnsupportedMediaType(content_type=content_type[:200] or "none")
    if boundary is None or not _BOUNDARY.fullmatch(boundary):
        raise _broken("no boundary")
    return boundary.encode()


def _quoted(boundary: str) -> str:
    return f'"{boundary}"'


def _name(head: bytes) -> str:
    """The name in a part's `Content-Disposition`; empty where it has none."""
    for line in head.split(b"\r\n"):
        key, _, value = line.partition(b":")
        if key.strip().lower() == b"content-disposition":
            header = Message()
            header["Content-Disposition"] = value.decode("utf-8", "replace").strip()
            name = header.get_param("name", header="content-disposition")
            return name if isinstance(name, str) else ""
    return ""


def _broken(reason: str) -> InvalidRequest:
    return InvalidRequest("request_error-form", reason=reason)
