"""Text fields of multipart bodies, read where they lie."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamero.models.errors import InvalidRequest, LlameroError, UnsupportedMediaType
from llamero.models.inference import Form
from llamero.services.forms import MAX_PARTS, read_form, text_field, with_text_field

TYPE = 'multipart/form-data; boundary="b 1"'


def form(*parts: tuple[str, bytes], content_type: str = TYPE) -> Form:
    head = b"--b 1\r\nContent-Disposition: form-data; name="
    content = b"".join(head + f'"{name}"\r\n\r\n'.encode() + value + b"\r\n" for name, value in parts)
    return Form(content_type, content + b"--b 1--\r\n")


@given(st.text(max_size=100), st.binary(max_size=200))
def test_field_is_found_beside_a_file_of_any_bytes(value: str, file: bytes) -> None:
    assume_safe = b"\r\n--b 1" not in b"\r\n" + value.encode() + b"\r\n" and b"\r\n--b 1" not in b"\r\n" + file
    if assume_safe:
        body = form(("file", file), ("model", value.encode()))
        assert text_field(body, "model") == value
        assert text_field(body, "other") is None


@given(st.binary(max_size=300))
def test_any_bytes_are_a_form_or_a_typed_error(content: bytes) -> None:
    for body in (content, b"--b 1\r\n" + content, b"--b 1\r\n\r\n" + content + b"\r\n--b 1--"):
        with contextlib.suppress(InvalidRequest):
            text_field(Form(TYPE, body), "model")


def test_field_is_replaced_and_nothing_else() -> None:
    body = form(("file", b"\x00model\xff"), ("model", b"alias"), ("language", b"en"))
    changed = with_text_field(body, "model", "org/upstream")
    assert changed == form(("file", b"\x00model\xff"), ("model", b"org/upstream"), ("language", b"en"))


def test_field_names_in_headers_of_any_spelling_are_understood() -> None:
    content = b"preamble\r\n--b 1 \r\nCONTENT-TYPE: x/y\r\ncontent-disposition:form-data;name=model\r\n\r\nm\r\n--b 1--"
    assert text_field(Form(TYPE, content), "model") == "m"


def test_part_without_headers_has_no_name() -> None:
    assert text_field(Form(TYPE, b"--b 1\r\n\r\nname=model\r\n--b 1--"), "model") is None


def test_delimiter_counts_at_the_beginning_of_a_line_only() -> None:
    assert text_field(form(("file", b'x--b 1\r\nname="model"'), ("model", b"m")), "model") == "m"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"--b 1",
        b"--b 1\r\n\r\nx",
        b"--b 1\r\nContent-Disposition: form-data; name=model",
        b"--b 1\r\nX: y\r\n--b 1\r\n\r\nx\r\n--b 1--",
        b"--b 1x\r\n\r\nx\r\n--b 1--",
        b"--b 1\r\nX: " + b"y" * 10_000 + b"\r\n\r\nx\r\n--b 1--",
        b"--b 1\r\n\r\nx\r\n" * (MAX_PARTS + 1) + b"--b 1--",
    ],
    ids=lambda content: repr(content[:20]),
)
def test_form_that_is_broken_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidRequest):
        text_field(Form(TYPE, content), "model")


@pytest.mark.parametrize(
    ("content_type", "error"),
    [
        ("", UnsupportedMediaType),
        ("application/json", UnsupportedMediaType),
        ("multipart/mixed; boundary=b", UnsupportedMediaType),
        ("multipart/form-data", InvalidRequest),
        ("multipart/form-data; boundary=" + "b" * 71, InvalidRequest),
        ('multipart/form-data; boundary="a\\"b"', InvalidRequest),
        ("multipart/form-data; boundary=a\r\nX: y", InvalidRequest),
    ],
)
def test_content_type_that_is_no_form_is_refused(content_type: str, error: type[LlameroError]) -> None:
    with pytest.raises(error):
        text_field(form(("model", b"m"), content_type=content_type), "model")


@pytest.mark.parametrize(
    ("declared", "taken"),
    [
        ("multipart/form-data; boundary=----x7", "multipart/form-data; boundary=----x7"),
        ('Multipart/Form-Data; charset=é; boundary="b 1"', 'multipart/form-data; boundary="b 1"'),
    ],
)
def test_content_type_is_reduced_to_its_boundary(declared: str, taken: str) -> None:
    assert read_form(declared, b"x") == Form(taken, b"x")
