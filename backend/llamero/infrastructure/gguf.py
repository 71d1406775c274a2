"""Reads the header of a GGUF file, which is hostile until proven otherwise: before any engine is started.

The format is ggml's (`docs/gguf.md` there): magic, version, number of tensors, number of key-value pairs, the pairs.
Real vocabularies take megabytes and stand before little that matters here, so reading stops at the first of them.

Whatever the file declares, this holds: no memory is set aside by a declared size, every length is compared with what is
left of the file first, at most 4 MB are read, keys and entries of arrays are limited in number, arrays do not nest.
What breaks a rule is a `BadModelFile`, within milliseconds. (CVE-2026-7482 and llama.cpp's own list of overflows are
what becomes of a reader that believes the file.)
"""

from __future__ import annotations

import os
import re
import stat
import struct
from pathlib import Path
from typing import BinaryIO

from llamero.models.errors import BadModelFile, ModelFileNotFound
from llamero.models.gguf import GgufHeader

READ_LIMIT = 4 * 1024 * 1024
KEY_LIMIT = 4096
KEY_LENGTH_LIMIT = 1024
TEXT_LIMIT = 64 * 1024
ARRAY_LIMIT = 16_384
NUMBER_LIMIT = 2**31 - 1
SPLIT_LIMIT = 1000

_MAGIC = b"GGUF"
_OTHER_KINDS = {
    b"version https://git-lfs": "it is a Git LFS pointer; the model itself was not downloaded",
    b"ggml": "it is in a format older than GGUF",
    b"lmgg": "it is in a format older than GGUF",
    b"tjgg": "it is in a format older than GGUF",
    b"PK\x03\x04": "it is an archive",
    b"<!DOCTYPE": "it is a web page",
    b"<html": "it is a web page",
}
# Value types by number; text and array are 8 and 9.
_TEXT, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_LEAST_PAIR = 13  # a key's length, one letter, a type; a pair's value takes at least one more
_LEAST_TENSOR = 24  # a name's length, number of dimensions, type and offset
_SPLIT_NAME = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")

# Where each wanted number stands; the second group has the architecture's name before it.
_GENERAL_NUMBERS = {
    "general.file_type": "file_type",
    "split.no": "split_number",
    "split.count": "split_count",
}
_ARCHITECTURE_NUMBERS = {
    "context_length": "context_length",
    "embedding_length": "embedding_length",
    "block_count": "block_count",
    "attention.head_count": "head_count",
    "attention.head_count_kv": "head_count_kv",
    "attention.key_length": "key_length",
    "attention.value_length": "value_length",
    "pooling_type": "pooling_type",
}
_TEXTS = {"general.architecture": "architecture", "general.name": "name", "general.size_label": "size_label"}
_TEMPLATE = "tokenizer.chat_template"
_VOCABULARY = "tokenizer.ggml.tokens"

# None stands for a value that nobody here needs; it is passed over, not kept.
_Value = int | str | None


class _Corrupt(Exception):
    """The text says what is wrong with the file."""


def read_header(path: Path) -> GgufHeader:
    """Read what the file says about the model.

    Raises ModelFileNotFound, and BadModelFile with the codes `model_file_error-directory`, `-unreadable`, `-empty`,
    `-not_gguf`, `-unsupported_version` and `-corrupt`; arguments `path` and `reason`.
    """
    try:
        with _open(path) as file:
            size = os.fstat(file.fileno()).st_size
            return _HeaderReader(file, size, path).read()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a NUL in the name
        raise ModelFileNotFound(path=str(path)) from error
    except OSError as error:
        raise _bad("unreadable", path, error.strerror or type(error).__name__) from error
    except _Corrupt as error:
        raise _bad("corrupt", path, str(error)) from error


def _open(path: Path) -> BinaryIO:
    """Open a regular file, and nothing that could block or be a device."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise _bad("directory", path, "it is a directory")
    if not stat.S_ISREG(mode):
        raise _bad("unreadable", path, "it is not a regular file")
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # exchanged in between
        os.close(descriptor)
        raise _bad("unreadable", path, "it is not a regular file")
    return os.fdopen(descriptor, "rb")


def _bad(code: str, path: Path, reason: str) -> BadModelFile:
    return BadModelFile(f"model_file_error-{code}", path=str(path), reason=reason)


class _HeaderReader:
    """One pass over one file. Every read goes through `_take` or `_skip`, which know what is left."""

    def __init__(self, file: BinaryIO, size: int, path: Path) -> None:
        self._file = file
        self._size = size
        self._path = path
        self._position = 0
        self._taken = 0
        self._entries = 0

    def read(self) -> GgufHeader:
        version = self._read_preamble()
        tensor_count, pair_count = self._number("Q"), self._number("Q")
        if tensor_count > (self._size - self._position) // _LEAST_TENSOR:
            raise _Corrupt("it declares more tensors than fit into it")
        if pair_count > min(KEY_LIMIT, (self._size - self._position) // _LEAST_PAIR):
            raise _Corrupt("it declares too many keys")
        pairs, complete = self._read_pairs(pair_count)
        fields = _fields(pairs)
        if complete and not fields["architecture"]:
            raise _Corrupt("it does not name its architecture")
        template = True if _TEMPLATE in pairs else (False if complete else None)
        size = self._size_of_all_parts(int(fields["split_number"] or 0), int(fields["split_count"] or 1))
        fields["split_number"], fields["split_count"] = fields["split_number"] or 0, fields["split_count"] or 1
        return GgufHeader(
            version=version,
            tensor_count=tensor_count,
            file_size=size,
            has_chat_template=template,
            **fields,  # type: ignore[arg-type]  # _fields has checked each
        )

    def _read_preamble(self) -> int:
        start = self._file.read(32)
        if not start:
            raise _bad("empty", self._path, "it is empty")
        if start[:4] != _MAGIC:
            reason = next((text for sign, text in _OTHER_KINDS.items() if start.startswith(sign)), "it is no GGUF file")
            raise _bad("not_gguf", self._path, reason)
        if len(start) < 24:
            raise _Corrupt("it ends within its header")
        version = int.from_bytes(start[4:8], "little")
        if version not in (2, 3):
            swapped = int.from_bytes(start[4:8], "big")
            reason = "it was written for big-endian machines" if swapped in (1, 2, 3) else f"its version is {version}"
            raise _bad("unsupported_version", self._path, reason)
        self._file.seek(8)
        self._position = 8
        return version

    def _read_pairs(self, count: int) -> tuple[dict[str, _Value], bool]:
        """The pairs up to the vocabulary, and whether that was all of them."""
        pairs: dict[str, _Value] = {}
        for _ in range(count):
            key = self._read_key()
            if key in pairs:
                raise _Corrupt(f"it has the key {key[:80]!r} twice")
            kind = self._number("I")
            if key == _VOCABULARY:
                return pairs, False
            if kind == _ARRAY and key.startswith("tokenizer.") and self._vocabulary_follows():
                return pairs, False
            pairs[key] = self._read_value(key, kind)
        return pairs, True

    def _read_key(self) -> str:
        length = self._number("Q")
        if not 0 < length <= KEY_LENGTH_LIMIT:
            raise _Corrupt(f"it has a key of {length} bytes")
        try:
            return self._take(length).decode()
        except UnicodeDecodeError as error:
            raise _Corrupt("it has a key that is no text") from error

    def _vocabulary_follows(self) -> bool:
        """Is the array that starts here long? Reads nothing for good."""
        before, taken = self._position, self._taken
        count = int.from_bytes(self._take(12)[4:], "little")
        self._file.seek(before)
        self._position, self._taken = before, taken
        return count > ARRAY_LIMIT

    def _read_value(self, key: str, kind: int) -> _Value:
        if kind == _TEXT:
            if _is_number(key):
                raise _Corrupt(f"its {key[:80]} is a text")
            return self._read_text(key)
        numbers = self._read_array(key) if kind == _ARRAY else (self._number(self._format(kind)),)
        if key in _TEXTS:
            raise _Corrupt(f"its {key} is no text")
        return _largest(key, numbers) if _is_number(key) else None

    def _read_text(self, key: str) -> str | None:
        length = self._number("Q")
        if key not in _TEXTS:
            self._skip(length)
            return None
        if length > TEXT_LIMIT:
            raise _Corrupt(f"its {key} has {length} bytes")
        return self._take(length).decode("utf-8", "replace")

    def _read_array(self, key: str) -> tuple[int | float, ...]:
        """One number for each layer where that is wanted; anything else is passed over."""
        kind, count = self._number("I"), self._number("Q")
        if kind == _ARRAY:
            raise _Corrupt(f"its {key[:80]} is an array of arrays")
        if kind == _TEXT:
            self._count_entries(key, count)
            for _ in range(count):
                self._skip(self._number("Q"))
            return ()
        code = self._format(kind)
        width = struct.calcsize(f"<{code}")
        if count > (self._size - self._position) // width:
            raise _Corrupt(f"its {key[:80]} is longer than the file")
        if not _is_number(key):
            self._skip(count * width)
            return ()
        self._count_entries(key, count)
        return struct.unpack(f"<{count}{code}", self._take(count * width))

    def _count_entries(self, key: str, count: int) -> None:
        """Limit what is walked one by one, over all arrays together."""
        self._entries += count
        if self._entries > ARRAY_LIMIT:
            raise _Corrupt(f"its {key[:80]} has {count} entries")

    def _format(self, kind: int) -> str:
        code = _NUMBERS.get(kind)
        if code is None:
            raise _Corrupt(f"it has a value of the unknown type {kind}")
        return code

    def _number(self, code: str) -> int:
        (value,) = struct.unpack(f"<{code}", self._take(struct.calcsize(f"<{code}")))
        return value  # type: ignore[no-any-return]  # a fraction passes through and is refused where a number is wanted

    def _take(self, length: int) -> bytes:
        if length > self._size - self._position:
            raise _Corrupt("it ends within its header")
        self._taken += length
        if self._taken > READ_LIMIT:
            raise _Corrupt("its header is too long")
        content = self._file.read(length)
        if len(content) != length:
            raise _Corrupt("it became shorter while it was read")
        self._position += length
        return content

    def _skip(self, length: int) -> None:
        if length > self._size - self._position:
            raise _Corrupt("it ends within its header")
        self._position += length
        self._file.seek(self._position)

    def _size_of_all_parts(self, number: int, count: int) -> int:
        """The size of a split model. Its parts lie beside each other and are named by number."""
        if count <= 1:
            return self._size
        if count > SPLIT_LIMIT or number >= count:
            raise _Corrupt(f"it says that it is part {number + 1} of {count}")
        if number != 0:
            raise _Corrupt(f"it is part {number + 1} of {count}; choose part 1")
        named = _SPLIT_NAME.fullmatch(self._path.name)
        if named is None or int(named["count"]) != count:
            raise _Corrupt(f"it is part 1 of {count}, but its name does not end in -00001-of-{count:05}.gguf")
        total = 0
        for part in range(1, count + 1):
            file = self._path.with_name(f"{named['stem']}-{part:05}-of-{count:05}.gguf")
            try:
                total += file.stat().st_size
            except FileNotFoundError as error:
                raise _Corrupt(f"part {part} of {count} is missing: {file.name}") from error
        return total


def _is_number(key: str) -> bool:
    """Is this one of the wanted numbers, of whatever architecture?"""
    return key in _GENERAL_NUMBERS or key.partition(".")[2] in _ARCHITECTURE_NUMBERS


def _largest(key: str, numbers: tuple[int | float, ...]) -> int:
    """The largest. Raises _Corrupt where one is a fraction, negative, or larger than any model could mean."""
    for number in numbers:
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= NUMBER_LIMIT:
            raise _Corrupt(f"its {key[:80]} is {number!r}")
    return max((int(number) for number in numbers), default=0)


def _fields(pairs: dict[str, _Value]) -> dict[str, int | str | None]:
    """The wanted values by the header's field."""
    fields: dict[str, int | str | None] = {field: pairs.get(key) or "" for key, field in _TEXTS.items()}
    wanted = {f"{fields['architecture']}.{key}": field for key, field in _ARCHITECTURE_NUMBERS.items()}
    fields.update({field: pairs.get(key) for key, field in (_GENERAL_NUMBERS | wanted).items()})
    return fields
