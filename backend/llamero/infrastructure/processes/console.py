"""No console window: on Windows, a program of the console kind opens one unless whoever starts it says otherwise.

The window's own program has no console that a child could share, so every child needs this, the shortest included: a
black window that flashes up for a moment looks like an attack.
"""

from __future__ import annotations

import subprocess
import sys

if sys.platform == "win32":
    NO_CONSOLE_WINDOW = subprocess.CREATE_NO_WINDOW
else:
    NO_CONSOLE_WINDOW = 0
