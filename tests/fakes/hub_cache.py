"""Makes folders of small model files, and a cache as Hugging Face's library leaves it."""

from __future__ import annotations

from pathlib import Path

from tests.security.gguf_bytes import header, number, text

REVISION = "0123456789abcdef0123456789abcdef01234567"
MODEL = header([text("general.architecture", "llama"), number("llama.context_length", 128)])
EMBEDDING_MODEL = header([text("general.architecture", "nomic-bert")])
PROJECTOR = header([text("general.architecture", "clip")])


def write_model(path: Path, content: bytes = MODEL) -> Path:
    """A file that has the header of a model, and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def add_to_hub(
    cache: Path, repository: str, name: str, *, revision: str = REVISION, main: str | None = REVISION, blob: str = ""
) -> Path:
    """A file of a repository: a link in the snapshot to a blob. Returns its path in the snapshot."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    blob_path = write_model(folder / "blobs" / (blob or f"sha-{name.replace('/', '-')}"))
    path = folder / "snapshots" / revision / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(blob_path)
    if main is not None:
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / "main").write_text(main)
    return path
