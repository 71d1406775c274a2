"""One sentence on stderr about what went wrong and what to do; the details go to the log."""

from __future__ import annotations

import contextlib
import logging
import sys
import traceback

from llamero.commands.options import Options
from llamero.models.errors import LlameroError

FAILED = 1
USAGE = 2
INTERRUPTED = 130  # as shells count it: 128 and the number of SIGINT
BROKEN_PIPE = 141

logger = logging.getLogger(__name__)


def say(text: str) -> None:
    """Write one line to stderr; a stderr that is gone is no reason to fail."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def sentence(error: LlameroError) -> str:
    """The message of an error, with what to do at a command line where the message alone leaves that open."""
    from llamero.infrastructure.messages import default_messages

    messages = default_messages()
    text, code = messages.error(error), f"advice-{error.code}"
    advice = messages.text(code)
    return text if advice == code else f"{text.rstrip('.')}; {advice}"


def report_failure(error: LlameroError) -> None:
    """Say what went wrong."""
    logger.debug("the command failed: %s", error, exc_info=error)
    say(f"llamero: {sentence(error)}")


def report_surprise(error: Exception, options: Options) -> None:
    """Say that something unforeseen happened and where it is written down; the traceback is not for everybody."""
    from llamero.infrastructure.logs import configure_logging
    from llamero.infrastructure.messages import default_messages

    kind = type(error).__name__
    if options.log_file is not None:
        configure_logging(options.log_level, options.log_file.parent, "critical")
        logger.error("unexpected %s", kind, exc_info=error)
    place = str(options.log_file) if options.log_file is not None else ""
    say(f"llamero: {default_messages().text('cli-surprise', {'kind': kind, 'path': place})}")
    if options.debug:
        say("".join(traceback.format_exception(error)).rstrip())
