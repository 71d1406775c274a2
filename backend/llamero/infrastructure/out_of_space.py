"""Which of the system's errors say that a disk, a quota or a limit on the size of files takes no more."""

from __future__ import annotations

import errno

OUT_OF_SPACE = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
