"""A person in front of an X display: sees windows, clicks, types, moves and closes them. By Xlib and XTEST."""

from __future__ import annotations

import ctypes
import struct
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_uint, c_ulong, c_void_p
from pathlib import Path
from typing import NamedTuple, TypeVar

Value = TypeVar("Value")

WAIT_S = 20.0
# XWindowAttributes.map_state is at byte 92 on 64-bit systems; ClientMessage and IsViewable are from <X11/X.h>.
_MAP_STATE, _VIEWABLE, _CLIENT_MESSAGE, _Z_PIXMAP = 23, 2, 33, 2


@ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)
def _overlook(display: int, event: int) -> int:
    """A window may go while we look; that is no fault of ours. Xlib has one handler for all displays, so it stays."""
    return 0


class Shape(NamedTuple):
    x: int
    y: int
    width: int
    height: int


class _ClientMessage(ctypes.Structure):
    _fields_ = [
        ("type", c_int), ("serial", c_ulong), ("send_event", c_int), ("display", c_void_p), ("window", c_ulong),
        ("message_type", c_ulong), ("format", c_int), ("data", c_long * 5), ("rest", c_long * 24),
    ]  # fmt: skip


class _Image(ctypes.Structure):
    _fields_ = [
        ("width", c_int), ("height", c_int), ("xoffset", c_int), ("format", c_int), ("data", c_void_p),
        ("byte_order", c_int), ("bitmap_unit", c_int), ("bitmap_bit_order", c_int), ("bitmap_pad", c_int),
        ("depth", c_int), ("bytes_per_line", c_int), ("bits_per_pixel", c_int),
    ]  # fmt: skip


class Display:
    """One connection to a display. Windows are found by their title."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._x = ctypes.CDLL("libX11.so.6")
        self._test = ctypes.CDLL("libXtst.so.6")
        for function in ("XDefaultRootWindow", "XInternAtom", "XStringToKeysym"):
            getattr(self._x, function).restype = c_ulong
        self._x.XOpenDisplay.restype = self._x.XGetImage.restype = c_void_p
        self._x.XOpenDisplay.argtypes = [c_char_p]
        self._display = c_void_p(self._x.XOpenDisplay(name.encode()))
        assert self._display, f"no display {name}"
        self._root = self._x.XDefaultRootWindow(self._display)
        self._x.XSetErrorHandler(_overlook)

    def windows(self, title: str) -> list[int]:
        """Visible windows of this title, from the lowest to the highest."""
        return [window for window in self._children(self._root) if self.title(window) == title and self._seen(window)]

    def window(self, title: str = "Llamero") -> int:
        """The one visible window of this title, once it is there."""
        return wait_for(lambda: self.windows(title), f"a window {title!r}")[-1]

    def title(self, window: int) -> str:
        """The window's title; empty for one that has none, or has gone."""
        name = c_char_p()
        if not self._x.XFetchName(self._display, c_ulong(window), byref(name)) or name.value is None:
            return ""
        title = name.value.decode("utf-8", "replace")
        self._x.XFree(name)
        return title

    def shape(self, window: int) -> Shape:
        root, x, y, width, height, border, depth = c_ulong(), c_int(), c_int(), c_uint(), c_uint(), c_uint(), c_uint()
        values = (byref(value) for value in (root, x, y, width, height, border, depth))
        self._x.XGetGeometry(self._display, c_ulong(window), *values)
        return Shape(x.value, y.value, width.value, height.value)

    def icon_sizes(self, window: int) -> list[tuple[int, int]]:
        """Width and height of each picture in the window's `_NET_WM_ICON`, as its manager would show them."""
        kind, width, count, rest, data = c_ulong(), c_int(), c_ulong(), c_ulong(), POINTER(c_ulong)()
        values = (byref(value) for value in (kind, width, count, rest, data))
        cardinal, whole = c_ulong(6), c_long(1 << 24)
        self._x.XGetWindowProperty(
            self._display, c_ulong(window), c_ulong(self._atom("_NET_WM_ICON")), c_long(0), whole, 0, cardinal, *values
        )
        sizes, at = [], 0
        while at < count.value:
            sizes.append((int(data[at]), int(data[at + 1])))
            at += 2 + sizes[-1][0] * sizes[-1][1]
        if data:
            self._x.XFree(data)
        return sizes

    def move(self, window: int, shape: Shape) -> None:
        self._x.XMoveResizeWindow(self._display, c_ulong(window), *shape)
        self._flush()

    def close(self, window: int) -> None:
        """Press the window's close button."""
        message = _ClientMessage(type=_CLIENT_MESSAGE, window=window, format=32)
        message.message_type = self._atom("WM_PROTOCOLS")
        message.data[0] = self._atom("WM_DELETE_WINDOW")
        self._x.XSendEvent(self._display, c_ulong(window), 0, c_long(0), byref(message))
        self._flush()

    def click(self, x: int, y: int) -> None:
        self._test.XTestFakeMotionEvent(self._display, -1, x, y, c_ulong(0))
        for pressed in (1, 0):
            self._test.XTestFakeButtonEvent(self._display, 1, pressed, c_ulong(0))
        self._flush()

    def press(self, *keys: str) -> None:
        """Press keys by their X names: a, Return, slash …"""
        for key in keys:
            code = self._x.XKeysymToKeycode(self._display, c_ulong(self._x.XStringToKeysym(key.encode())))
            for pressed in (1, 0):
                self._test.XTestFakeKeyEvent(self._display, c_uint(code), pressed, c_ulong(0))
        self._flush()

    def settle(self) -> None:
        """Wait until the screen stays as it is for a moment."""
        screen = self.shape(self._root)

        def same() -> bool:
            before = self._pixels(screen)
            time.sleep(0.2)
            return self._pixels(screen) == before

        wait_for(same, "the screen to settle")

    def focus(self, window: int) -> None:
        self._x.XSetInputFocus(self._display, c_ulong(window), 1, c_ulong(0))
        self._flush()

    def colour(self, x: int, y: int) -> str:
        """The colour of one point of the screen, as `#rrggbb`."""
        return f"#{self._pixels(Shape(x, y, 1, 1))[0].hex()}"

    def screenshot(self, path: Path) -> None:
        """Write the whole screen as a PNG file."""
        screen = self.shape(self._root)

        def chunk(kind: bytes, content: bytes) -> bytes:
            return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

        header = struct.pack(">IIBBBBB", screen.width, screen.height, 8, 2, 0, 0, 0)
        rows = b"".join(b"\0" + row for row in self._pixels(screen))
        parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))

    def disconnect(self) -> None:
        self._x.XCloseDisplay(self._display)

    def _pixels(self, shape: Shape) -> list[bytes]:
        """Rows of red, green and blue. The server keeps them as blue, green, red, nothing."""
        image = self._x.XGetImage(self._display, c_ulong(self._root), *shape, c_ulong(0xFFFFFF), _Z_PIXMAP)
        found = ctypes.cast(image, POINTER(_Image)).contents
        rows = []
        for row in range(shape.height):
            line = ctypes.string_at(found.data + row * found.bytes_per_line, shape.width * 4)
            colours = bytearray(shape.width * 3)
            colours[0::3], colours[1::3], colours[2::3] = line[2::4], line[1::4], line[0::4]
            rows.append(bytes(colours))
        self._x.XDestroyImage(c_void_p(image))
        return rows

    def _children(self, window: int) -> list[int]:
        root, parent, children, count = c_ulong(), c_ulong(), POINTER(c_ulong)(), c_uint()
        found = (byref(value) for value in (root, parent, children, count))
        if not self._x.XQueryTree(self._display, c_ulong(window), *found) or not count.value:
            return []
        result = [int(children[index]) for index in range(count.value)]
        self._x.XFree(children)
        return result

    def _seen(self, window: int) -> bool:
        attributes = (c_int * 64)()
        self._x.XGetWindowAttributes(self._display, c_ulong(window), byref(attributes))
        return attributes[_MAP_STATE] == _VIEWABLE

    def _atom(self, name: str) -> int:
        return int(self._x.XInternAtom(self._display, name.encode(), 0))

    def _flush(self) -> None:
        self._x.XSync(self._display, 0)


@contextmanager
def virtual_display(screen: str = "1600x1000x24") -> Iterator[Display]:
    """An X server without a screen, on a free display number."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", screen, "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            display = Display(f":{server.stdout.readline().strip()}")
            try:
                yield display
            finally:
                display.disconnect()
        finally:
            server.terminate()
            server.wait(10)


def wait_for(look: Callable[[], Value], what: str, timeout_s: float = WAIT_S) -> Value:
    """Look until there is something to see."""
    deadline = time.monotonic() + timeout_s
    while not (value := look()):
        assert time.monotonic() < deadline, f"waited {timeout_s:.0f} s for {what}"
        time.sleep(0.02)
    return value
