"""The boundary to file parsers and decoders.

They meet damaged bytes and raise whatever they happen to run into; users get one of our errors instead.
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mouse_seg._atomic import is_in_use
from napari_mouse_seg.errors import DamagedImageError, ImageError, ImageNotFoundError, MouseSegError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_CAUSE_LENGTH = 160
_TOO_MANY_FILES = {errno.EMFILE, errno.ENFILE}
_OF_DEVICES = {
    errno.EIO,
    errno.ENXIO,
    errno.ENODEV,
    errno.ESTALE,
    errno.ETIMEDOUT,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.ECONNABORTED,
    errno.ECONNRESET,
}


@contextmanager
def reading(name: str, what: str) -> Iterator[None]:
    """Turn every foreign exception of the block into an ``ImageError`` that names the file.

    Parameters
    ----------
    name
        File or layer, as the user knows it.
    what
        What is being read, for the message: ``"its header"``, ``"level 2"``.
    """
    try:
        yield
    except MouseSegError:
        raise
    except FileNotFoundError as error:
        raise ImageNotFoundError(f"{name} is no longer there; check that it was not moved.") from error
    except PermissionError as error:
        if is_in_use(Path(name), error):
            raise ImageError(f"{name} is open in another program; close it there.") from error
        raise ImageError(f"{name} may not be read by this user; change its permissions.") from error
    except MemoryError as error:
        raise ImageError(f"{name}: there is not memory enough for {what}; close other images or programs.") from error
    except Exception as error:
        code = error.errno if isinstance(error, OSError) else None
        if code in _TOO_MANY_FILES:
            raise ImageError(
                f"{name}: {what} could not be read, as too many files are open; close other images or programs."
            ) from error
        if code in _OF_DEVICES:
            raise ImageError(
                f"{name}: {what} could not be read ({error}). The disk or the network failed; try again."
            ) from error
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        if len(cause) > _MAX_CAUSE_LENGTH:
            cause = cause[:_MAX_CAUSE_LENGTH] + "…"
        raise DamagedImageError(
            f"{name}: {what} could not be read ({cause}). The file is damaged or incomplete; copy or export it again."
        ) from error
