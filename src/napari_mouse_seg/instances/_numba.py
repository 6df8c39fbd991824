"""numba's decorator, once there is a folder that compiled loops can be kept in."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from napari_mouse_seg._atomic import try_folder

_VARIABLE = "NUMBA_CACHE_DIR"


def _give_a_folder(package: Path) -> None:
    """Name a folder of the user's where the package's own cannot be written to.

    numba finds that out by a temporary file, which Python on Windows tries to make again without end.
    """
    if _VARIABLE in os.environ:
        return
    with suppress(OSError):
        try_folder(package)
        return
    folder = Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "napari-mouse-seg" / "compiled"
    with suppress(OSError):  # Then numba looks further.
        folder.mkdir(parents=True, exist_ok=True)
    os.environ[_VARIABLE] = str(folder)
    _reload()


def _reload() -> None:
    """Let numba read its variables again, if somebody else has imported it."""
    if "numba" in sys.modules:
        sys.modules["numba"].config.reload_config()


if sys.platform == "win32":
    _give_a_folder(Path(__file__).parent)

from numba import njit  # noqa: E402 (reads the variable when it is imported)

__all__ = ["njit"]
