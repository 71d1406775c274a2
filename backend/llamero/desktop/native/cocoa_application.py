"""What macOS tells an application, not its window: which files to open, and that it has to end.

Finder names files by an event and never on the command line, at the first start as well as later: it comes once the
toolkit's loop runs, after the window was prepared. "Quit", and the end of the session, would end the process inside of
the toolkit's loop; so that has to wait until the core has ended. Both ask the application's delegate, a Python class of
pywebview's, which gets these answers. Written from Apple's reference (NSApplicationDelegate).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_TERMINATE_LATER = 2  # NSApplicationTerminateReply; the process ends by itself before it would be told that it may
_OPEN_URLS = b"v@:@@"  # no result; the object, the selector and two objects


def answer_for(delegate: Any, objc: Any, opened: Callable[[Path], None], ends: Callable[[], None]) -> None:
    """Give pywebview's class of delegates our answers, before there is one.

    `objc` is PyObjC. Raises AttributeError when the class is no longer as we know it.
    """
    terminate = delegate.applicationShouldTerminate_.signature

    def application_openURLs_(self: Any, application: Any, urls: Any) -> None:  # noqa: N802
        files = [Path(str(url.path())) for url in urls if url.isFileURL()]
        if len(files) > 1:
            logger.info("of %d files to open, the first is opened", len(files))
        for file in files[:1]:
            opened(file)

    def applicationShouldTerminate_(self: Any, application: Any) -> int:  # noqa: N802
        ends()
        return _TERMINATE_LATER

    methods = [
        objc.selector(application_openURLs_, signature=_OPEN_URLS),
        objc.selector(applicationShouldTerminate_, signature=terminate),
    ]
    objc.classAddMethods(delegate, methods)
