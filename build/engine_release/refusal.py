"""The one error of this package."""

from __future__ import annotations


class BuildRefused(Exception):
    """The build cannot go on. The text says why and what to do; it never holds the token."""
