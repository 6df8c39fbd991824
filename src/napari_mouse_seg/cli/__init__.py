"""The command ``mouse-seg``: one module a command; each parses, calls and prints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; see ``_main``, which is loaded here so that Ctrl-C is heard in words from the start on.

    Parameters
    ----------
    argv
        Arguments without the program's name; None takes the process's.

    Returns
    -------
    int
        0 done, 1 failed, 2 bad usage, 130 cancelled.
    """
    try:
        from napari_mouse_seg.cli._main import main as run

        return run(argv)
    except KeyboardInterrupt:
        print("Error: Cancelled.", file=sys.stderr)  # noqa: T201 (the console may not be loaded yet)
        return 130
