"""Where Llamero keeps its things, and that they can be kept there.

By default each kind goes where the system expects it (platformdirs); with `--data-dir` everything is inside that one
directory. Directories that Llamero makes are for its user alone (0700), those that exist keep their permissions.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from llamero.models.errors import IoFailed

_APP = "Llamero" if sys.platform in ("win32", "darwin") else "llamero"


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """Absolute paths of everything that Llamero reads and writes."""

    data_dir: Path
    settings_file: Path
    logs: Path
    run: Path
    cache: Path
    engines: Path
    models: Path

    @property
    def database(self) -> Path:
        """The one file of conversations, names, keys and measurements."""
        return self.data_dir / "llamero.db"

    @property
    def updates(self) -> Path:
        """Where releases are fetched to; made when one is."""
        return self.data_dir / "updates"

    def prepare(self) -> None:
        """Make the directories that are missing and check that all can be used.

        Raises `IoFailed`: `data_error-directory_unwritable`, `-directory_unreadable` or `-not_a_directory`.
        """
        for directory in (self.data_dir, self.run, self.logs, self.cache, self.engines, self.models):
            _make(directory)
            _check(directory)


def find_paths(data_dir: Path | None = None) -> Paths:
    """Decide where things are, without touching the disk. `data_dir` is what `--data-dir` says.

    Raises `IoFailed` (`data_error-no_home`) when the system does not know a home directory.
    """
    if data_dir is not None:
        root = _absolute(data_dir)
        return _below(root, settings_file=root / "settings.toml", logs=root / "logs", cache=root / "cache")
    from platformdirs import PlatformDirs  # not needed, and not paid for, with --data-dir

    dirs = PlatformDirs(_APP, appauthor=False)
    return _below(
        _absolute(dirs.user_data_path),
        settings_file=_absolute(dirs.user_config_path) / "settings.toml",
        logs=_absolute(dirs.user_log_path),
        cache=_absolute(dirs.user_cache_path),
    )


def _below(root: Path, *, settings_file: Path, logs: Path, cache: Path) -> Paths:
    return Paths(
        data_dir=root,
        settings_file=settings_file,
        logs=logs,
        run=root / "run",
        cache=cache,
        engines=root / "engines",
        models=root / "models",
    )


def _absolute(path: Path) -> Path:
    """Expand `~` and anchor at the working directory, which may change later. A `~` that stays means no home."""
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise IoFailed("data_error-no_home", path=str(path)) from error


def _make(directory: Path) -> None:
    """Make a directory and its missing parents with 0700; `Path.mkdir` would give parents the default permissions."""
    try:
        missing = [path for path in (directory, *directory.parents) if not os.path.lexists(path)]
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)
        if not directory.is_dir():
            raise IoFailed("data_error-not_a_directory", path=str(directory))
    except (FileExistsError, NotADirectoryError) as error:
        raise IoFailed("data_error-not_a_directory", path=str(directory)) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _io_failed("data_error-directory_unwritable", directory, error) from error


def _check(directory: Path) -> None:
    try:
        with os.scandir(directory) as entries:
            next(entries, None)
    except OSError as error:
        raise _io_failed("data_error-directory_unreadable", directory, error) from error
    # Also true for a read-only mount. Windows answers by the read-only attribute alone; the lock file settles it there.
    if not os.access(directory, os.W_OK | os.X_OK):
        raise IoFailed("data_error-directory_unwritable", path=str(directory), reason="")


def _io_failed(code: str, path: Path, error: Exception) -> IoFailed:
    reason = error.strerror if isinstance(error, OSError) else None
    return IoFailed(code, path=str(path), reason=reason or str(error))
