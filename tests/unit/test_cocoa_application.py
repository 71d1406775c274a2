"""Our answers in pywebview's own delegate, by the real Objective-C runtime; collected on a Mac alone."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from llamero.desktop.native.cocoa_application import answer_for


def test_delegate_of_pywebview_answers_macos_for_us() -> None:
    objc: Any = importlib.import_module("objc")
    foundation: Any = importlib.import_module("Foundation")
    delegate_class: Any = importlib.import_module("webview.platforms.cocoa").BrowserView.AppDelegate
    opened: list[Path] = []
    ended: list[str] = []
    answer_for(delegate_class, objc, opened.append, lambda: ended.append("session"))
    delegate = delegate_class.alloc().init()
    assert delegate.respondsToSelector_(b"application:openURLs:")
    delegate.application_openURLs_(None, [foundation.NSURL.fileURLWithPath_("/Models/a model 100%.gguf")])
    later = 2
    assert delegate.applicationShouldTerminate_(None) == later
    assert (opened, ended) == ([Path("/Models/a model 100%.gguf")], ["session"])
