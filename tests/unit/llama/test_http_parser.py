"""Replies of engines as bytes: the same however they were cut, and one typed error for whatever is not HTTP."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamero.infrastructure.llama.http_parser import MAX_FRAMING_BYTES, ReplyParser

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

WHOLE: dict[str, tuple[bytes, int, bytes]] = {
    "by length": (OK + b"Content-Length: 5\r\n\r\nhello", 200, b"hello"),
    "empty": (OK + b"Content-Length: 0\r\n\r\n", 200, b""),
    "in chunks": (CHUNKED + b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 200, b"hello"),
    "in chunks with extensions and trailers": (
        OK + b"transfer-encoding: CHUNKED\r\n\r\n" + b'05;a="b"\r\nhello\r\n0;last\r\nDigest: x\r\n\r\n',
        200,
        b"hello",
    ),
    "line ends within a chunk": (CHUNKED + b"8\r\n\r\n0\r\n\r\n\r\r\n0\r\n\r\n", 200, b"\r\n0\r\n\r\n\r"),
    "announced": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        + OK
        + b"Content-Length: 2\r\n\r\nhi",
        200,
        b"hi",
    ),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "refusal": (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}", 400, b"{}"),
    "followed by something": (OK + b"Content-Length: 2\r\n\r\nhiHTTP/1.1 500 Never\r\n\r\n", 200, b"hi"),
    "followed by rubbish": (CHUNKED + b"2\r\nhi\r\n0\r\n\r\n\x00\xff", 200, b"hi"),
    "closed and followed": (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi and more", 200, b"hi"),
}
UNTIL_CLOSE: dict[str, tuple[bytes, int, bytes]] = {
    "of 1.1": (OK + b"\r\nuntil the end", 200, b"until the end"),
    "of 1.0": (b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n", 200, b""),
}
BROKEN: dict[str, bytes] = {
    "not HTTP": b"SSH-2.0-OpenSSH_9.9\r\n",
    "HTTP/2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of words": b"HTTP/1.1 fine\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    "a folded header": OK + b"A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "a space before the colon": OK + b"Content-Length : 2\r\n\r\nhi",
    "a header without colon": OK + b"Content-Length 2\r\n\r\nhi",
    "a zero byte in a header": OK + b"A: \x00\r\nContent-Length: 0\r\n\r\n",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!",
    "a negative length": OK + b"Content-Length: -2\r\n\r\nhi",
    "a length of words": OK + b"Content-Length: two\r\n\r\nhi",
    "a length beyond 64 bits": OK + b"Content-Length: 99999999999999999999999\r\n\r\nhi",
    "a length and chunks": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "another coding": OK + b"Transfer-Encoding: gzip\r\n\r\nhi",
    "another coding before chunks": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "another coding in two headers": OK + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhi",
    "a chunk of no size": CHUNKED + b"\r\nhi\r\n",
    "a chunk of a negative size": CHUNKED + b"-2\r\nhi\r\n",
    "a chunk of a size as in Python": CHUNKED + b"0x2\r\nhi\r\n",
    "a chunk of a size beyond 64 bits": CHUNKED + b"fffffffffffffffff\r\nhi\r\n",
    "a chunk longer than it says": CHUNKED + b"2\r\nhi!\r\n0\r\n\r\n",
    "a chunk shorter than it says": CHUNKED + b"4\r\nhi\r\n0\r\n\r\n5\r\nhello\r\n",
    "a chunk's line without return": CHUNKED + b"2\nhi\r\n0\r\n\r\n",
}


def parsed(pieces: Iterable[bytes]) -> tuple[ReplyParser, bytes]:
    parser = ReplyParser()
    return parser, b"".join([parser.feed(piece) for piece in pieces])


def ways_to_cut(raw: bytes) -> Iterable[list[bytes]]:
    yield [raw]
    yield [raw[at : at + 1] for at in range(len(raw))]
    for at in range(1, len(raw)):
        yield [raw[:at], raw[at:]]


@pytest.mark.parametrize("form", WHOLE)
def test_reply_cut_anywhere_is_the_same(form: str) -> None:
    raw, status, body = WHOLE[form]
    expected, _ = parsed([raw])
    for pieces in ways_to_cut(raw):
        parser, got = parsed(pieces)
        assert (parser.status, got, parser.is_whole, parser.problem) == (status, body, True, None), pieces
        assert list(parser.headers.items()) == list(expected.headers.items())


@pytest.mark.parametrize("form", UNTIL_CLOSE)
def test_reply_without_length_is_whole_when_the_connection_ends(form: str) -> None:
    raw, status, body = UNTIL_CLOSE[form]
    for pieces in ways_to_cut(raw):
        parser, got = parsed(pieces)
        assert not parser.is_whole
        parser.finish()
        assert (parser.status, got, parser.is_whole, parser.problem) == (status, body, True, None), pieces


@pytest.mark.parametrize("form", WHOLE)
def test_reply_that_ends_early_is_a_problem(form: str) -> None:
    raw, _, body = WHOLE[form]
    for at in range(len(raw)):
        parser, got = parsed([raw[:at]])
        if parser.is_whole:
            continue
        parser.finish()
        assert not parser.is_whole, at
        assert parser.problem is not None, at
        assert body.startswith(got)


def test_headers_of_what_announces_a_reply_are_not_its_own() -> None:
    parser, _ = parsed([WHOLE["announced"][0]])
    assert dict(parser.headers) == {"Content-Length": "2"}


@pytest.mark.parametrize("fault", BROKEN)
def test_reply_with_broken_framing_is_a_problem_however_it_is_cut(fault: str) -> None:
    for pieces in ways_to_cut(BROKEN[fault]):
        parser, body = parsed(pieces)
        parser.finish()
        assert parser.problem is not None, pieces
        assert not parser.is_whole
        assert body in (b"", b"h", b"hi", b"hi\r\n"), "nothing that was not sent as body"


def test_body_before_a_fault_is_given_out_and_nothing_after_it() -> None:
    parser, body = parsed([CHUNKED + b"5\r\nhello\r\nrubbish", b"2\r\nhi\r\n"])
    assert body == b"hello"
    assert parser.problem is not None


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8), st.data())
def test_chunks_that_arrive_one_by_one_and_in_part_are_the_body(chunks: list[bytes], data: st.DataObject) -> None:
    """As an engine sends them: a piece for every chunk, but for what a busy system cuts or joins."""
    pieces = [CHUNKED, *(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks), b"0\r\n\r\n"]
    at = data.draw(st.integers(0, len(pieces) - 1))
    cut = data.draw(st.integers(0, len(pieces[at])))
    parser, body = parsed([*pieces[:at], pieces[at][:cut], pieces[at][cut:] + b"".join(pieces[at + 1 :])])
    assert body == b"".join(chunks)
    assert parser.is_whole


def test_size_line_cut_in_two_is_not_taken_for_a_chunk_of_its_own() -> None:
    first, rest = b"x" * 0x2A, b"y" * 0x10
    pieces = [CHUNKED, b"1\r\na\r\n", b"2", b"a\r\n" + first + b"\r\n", b"10\r\n" + rest + b"\r\n", b"0\r\n\r\n"]
    parser, body = parsed(pieces)
    assert body == b"a" + first + rest
    assert parser.is_whole


@pytest.mark.parametrize("size", [b"+2", b"0x2", b"2_0", b" 2", b"-2", b"2 "])
def test_chunk_of_a_size_that_only_python_reads_is_broken(size: bytes) -> None:
    parser, body = parsed([CHUNKED, b"1\r\na\r\n", size + b"\r\nhi\r\n"])
    assert parser.problem is not None
    assert body == b"a"


ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "status line": (b"HTTP/1.1 200 ", b"x"),
    "header": (OK + b"A: ", b"x"),
    "headers": (OK, b"A: b\r\n"),
    "announcements": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunk extension": (CHUNKED + b"2;", b"x"),
    "chunk size": (CHUNKED, b"0"),
    "trailer": (CHUNKED + b"0\r\nA: ", b"x"),
    "trailers": (CHUNKED + b"0\r\n", b"A: b\r\n"),
}


@pytest.mark.parametrize("part", ENDLESS)
def test_reply_with_endless_framing_is_given_up(part: str) -> None:
    begin, again = ENDLESS[part]
    parser = ReplyParser()
    parser.feed(begin)
    piece = again * (4096 // len(again))
    for _ in range(2 + MAX_FRAMING_BYTES // len(piece)):
        parser.feed(piece)
    assert parser.problem is not None


def test_head_that_is_too_large_is_refused_also_when_it_comes_at_once() -> None:
    raw = OK + b"A: " + b"x" * MAX_FRAMING_BYTES + b"\r\nContent-Length: 2\r\n\r\nhi"
    parser, body = parsed([raw])
    assert parser.problem is not None
    assert body == b""


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_reply_or_a_problem_but_never_an_exception(noise: bytes, after_a_head: bool) -> None:
    parser, _ = parsed([CHUNKED * after_a_head + noise])
    parser.finish()
    assert parser.is_whole or parser.problem is not None


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.data())
def test_chunks_of_any_bytes_cut_anywhere_are_the_body(chunks: list[bytes], data: st.DataObject) -> None:
    raw = CHUNKED + b"".join(b"%X\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    cuts = sorted(data.draw(st.sets(st.integers(1, len(raw) - 1), max_size=12)))
    parser, body = parsed(raw[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True))
    assert body == b"".join(chunks)
    assert parser.is_whole
    assert parser.problem is None
