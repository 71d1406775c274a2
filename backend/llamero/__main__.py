"""`python -m llamero` is the command `llamero`."""

from __future__ import annotations

import sys

from llamero.cli import main

if __name__ == "__main__":
    sys.exit(main())
