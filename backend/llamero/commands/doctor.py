"""`llamero doctor`: shows what the doctor found, one line for each thing, and what to do."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from llamero import __version__
from llamero.commands.options import Options
from llamero.commands.report import FAILED
from llamero.infrastructure.logs import configure_logging
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.paths import Paths, find_paths
from llamero.infrastructure.settings_file import load_settings
from llamero.models.doctor import Finding, Level
from llamero.models.settings import ResolvedSettings
from llamero.services.doctor import Doctor

_MARKS = {Level.OK: "✓", Level.WARNING: "!", Level.PROBLEM: "✗"}
_ASCII_MARKS = {Level.OK: "+", Level.WARNING: "!", Level.PROBLEM: "x"}


def doctor(options: Options) -> int:
    """Examine and show; 1 when there is a problem. Makes no directory and no log."""
    configure_logging(options.log_level, None, "debug" if options.debug else "critical")
    paths = find_paths(options.data_dir)
    resolved = load_settings(paths.settings_file, os.environ, {})
    findings = asyncio.run(Doctor(paths, resolved).examine())
    arguments = {"version": __version__, "python": platform.python_version(), "system": platform.system()}
    lines = [default_messages().text("doctor-title", arguments), ""]
    lines += _lines(findings, _marks())
    lines += ["", _summary(findings)]
    report = "\n".join(lines) + "\n"
    sys.stdout.write(report)
    if options.bundle is not None:
        _bundle(paths, resolved, report, options.bundle)
    return FAILED if any(finding.level is Level.PROBLEM for finding in findings) else 0


def _bundle(paths: Paths, resolved: ResolvedSettings, report: str, wanted: str) -> None:
    """Write the file for a bug report, and say where it is and what is in it. Raises IoFailed."""
    from llamero.commands.doctor_bundle import write_report  # not paid for without --bundle

    path, described = write_report(paths, resolved, report, Path(wanted) if wanted else None)
    text = default_messages().text
    said = [text("bundle-written", {"path": str(path)}), *(f"  {line}" for line in described), text("bundle-look")]
    sys.stdout.write("\n" + "\n".join(said) + "\n")


def _lines(findings: Sequence[Finding], marks: dict[Level, str]) -> Iterator[str]:
    """One line for each finding, its name only where it changes, and the advice below."""
    width = max((len(finding.name) for finding in findings), default=0)
    shown = ""
    for finding in findings:
        name = finding.name if finding.name != shown else ""
        shown = finding.name
        yield f"{marks[finding.level]} {name:{width}}  {finding.text}"
        if finding.advice:
            yield f"  {'':{width}}  {finding.advice}"


def _summary(findings: Sequence[Finding]) -> str:
    problems = sum(finding.level is Level.PROBLEM for finding in findings)
    warnings = sum(finding.level is Level.WARNING for finding in findings)
    if not problems and not warnings:
        return default_messages().text("doctor-all-well")
    return default_messages().text("doctor-summary", {"problems": problems, "warnings": warnings})


def _marks() -> dict[Level, str]:
    """Marks that the terminal can show."""
    try:
        "".join(_MARKS.values()).encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _ASCII_MARKS
    return _MARKS
