"""The request inspector around a running application, for the page that shows it."""

from __future__ import annotations

from contextlib import AsyncExitStack

from llamero.application import Application
from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.replaying import HttpReplayer
from llamero.services.inspection.inspector import Inspector


def open_inspector(app: Application, stack: AsyncExitStack) -> Inspector:
    """Record requests from now on; what was recorded ends with `stack`."""
    messages = default_messages()
    inspector = Inspector(app.settings.inspector, SystemClock(), app.inference, HttpReplayer(), messages.error)
    stack.push_async_callback(inspector.close)
    return inspector
