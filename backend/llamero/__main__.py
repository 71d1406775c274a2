"""`python -m llamero` is the command `llamero`, and so is the program of a package.

A packaged application has one program for everything, so the roles of its child processes are looked for first, before
anything is imported that they do not need.
"""

from __future__ import annotations

import sys

from llamero.infrastructure.packaged import EMBEDDED_ENGINE_ROLE, GUARDIAN_ROLE, restore_environment


def main() -> int:
    """Play the role that the first argument names, else the command line; returns the exit status."""
    restore_environment()
    role = sys.argv[1] if len(sys.argv) > 1 else ""
    if role == EMBEDDED_ENGINE_ROLE:
        from llamero.infrastructure.llama.embedded import main as embedded_engine

        return embedded_engine(sys.argv[2:])
    if role == GUARDIAN_ROLE:
        from llamero.infrastructure.processes.guardian import main as guardian

        guardian()
        return 0
    from llamero.cli import main as command_line

    return command_line()


if __name__ == "__main__":
    sys.exit(main())
