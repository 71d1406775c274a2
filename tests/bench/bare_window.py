"""The least that a pywebview window can be: one static page of a loopback server, which calls back when it runs.

usage: python -m tests.bench.bare_window [--stay]. Prints one JSON line with the monotonic time at which the page ran.
"""

from __future__ import annotations

import http.server
import json
import os
import sys
import threading
import time
from typing import Any

PAGE = b"<!doctype html><title>bare</title><h1>Llamero</h1><script src=/page.js></script>"
SCRIPT = b"fetch('/ready')"


class Handler(http.server.BaseHTTPRequestHandler):
    """Two files and a call back."""

    def do_GET(self) -> None:
        if self.path == "/ready":
            print(json.dumps({"reported_at": time.monotonic()}), flush=True)
            if "--stay" not in sys.argv:
                os._exit(0)
        body, kind = (SCRIPT, "text/javascript") if self.path == "/page.js" else (PAGE, "text/html")
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def main() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if os.geteuid() == 0:
        os.environ.setdefault("QTWEBENGINE_CHROMIUM_FLAGS", "--no-sandbox")
    os.environ.setdefault("QT_API", "pyside6")
    import webview

    webview.create_window("bare", f"http://127.0.0.1:{server.server_address[1]}/", width=1280, height=800)
    webview.start(gui="qt")


if __name__ == "__main__":
    main()
