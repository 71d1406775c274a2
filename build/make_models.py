"""Make the project's test models: small GGUF files that a real llama.cpp loads, the same bytes on every machine.

    python build/make_models.py [--out DIR] [NAME ...]

Without arguments it writes only `demo.gguf`, to where the package ships it. Names: demo, think, tools, embed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tiny_models.embedding import write_embedding_model
from tiny_models.writing import CALLS_TOOLS, PLAIN, THINKS, write_chat_model

ASSETS = Path(__file__).resolve().parent.parent / "backend" / "llamero" / "assets"

MAKERS = {
    "demo": lambda path: write_chat_model(path, "Demo (not a real assistant)", PLAIN),
    "think": lambda path: write_chat_model(path, "Thinking demo (not a real assistant)", THINKS),
    "tools": lambda path: write_chat_model(path, "Tool-calling demo (not a real assistant)", CALLS_TOOLS),
    "embed": lambda path: write_embedding_model(path, "Embedding demo (not a real model)"),
}


def main() -> int:
    """Write the models named on the command line."""
    parser = argparse.ArgumentParser(description="Make the demo and the test models.")
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder to write to (default: the shipped assets)")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(MAKERS)} (default: demo)")
    options = parser.parse_args()
    unknown = set(options.names) - set(MAKERS)
    if unknown:
        parser.error(f"no such model: {', '.join(sorted(unknown))}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or ["demo"]:
        path = options.out / f"{name}.gguf"
        MAKERS[name](path)
        print(f"{path}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
