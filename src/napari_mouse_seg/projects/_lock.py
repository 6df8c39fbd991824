"""Who may write into a project.

A lock of the operating system, so that it is free again however its holder ended. A file whose mere existence locks
was turned down: it outlives a killed process.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from napari_mouse_seg._atomic import replacing
from napari_mouse_seg.errors import MouseSegError, ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_mouse_seg.projects._layout import Layout


class ProjectLock:
    """The right to write into a project's folder.

    Parameters
    ----------
    layout
        Of the project; its folder exists.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lock = FileLock(layout.lock_file, timeout=0, thread_local=False)
        self._taken: tuple[int, int] | None = None

    def take(self) -> str:
        """Take the lock if it is free and the folder can be written to; return why not, or nothing."""
        if not os.access(self._layout.folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            return (
                f"There is no permission to write into {self._layout.folder}; ask for it, or copy the project to a "
                "folder of your own."
            )
        try:
            self._lock.acquire()
        except Timeout:
            return f"The project is open in {self._holder()}; close it there, then open it here again."
        except (OSError, NotImplementedError) as error:  # the latter where a network drive has no locks
            cause = getattr(error, "strerror", None) or error
            return f"The project cannot be locked ({cause}), so it cannot be changed; copy it to a local disk."
        self._announce()
        self._taken = self._identity()
        return ""

    @contextmanager
    def released_after_failure(self) -> Iterator[None]:
        """Let go of the lock if the project cannot be opened."""
        try:
            yield
        except BaseException as error:
            self.release()
            if isinstance(error, OSError) and not isinstance(error, MouseSegError):
                raise ProjectError(
                    f"The project in {self._layout.folder} could not be read ({error.strerror or error}); check its "
                    "permissions."
                ) from error
            raise

    def renew(self) -> None:
        """Make sure that the lock is that of the folder which is there now.

        A folder that was removed and put back is another one, and somebody else may have opened it.

        Raises
        ------
        ProjectError
            If the folder is gone or somebody else has opened it meanwhile.
        """
        if self._taken is not None and self._identity() == self._taken:
            return
        if not self._layout.folder.is_dir():
            raise ProjectError(
                f"The project's folder {self._layout.folder} is no longer there; put it back, or choose another one. "
                "What is open in the viewer stays."
            )
        self._lock.release()
        reason = self.take()
        if reason:
            raise ProjectError(reason)

    def release(self) -> None:
        """Let others write. May be called again."""
        if self._taken is not None and self._identity() == self._taken:
            with suppress(OSError):
                self._layout.holder_file.unlink()
        self._taken = None
        self._lock.release()

    def _identity(self) -> tuple[int, int] | None:
        """Return device and number of the lock's file; None if it is gone."""
        try:
            status = os.stat(self._layout.lock_file)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _announce(self) -> None:
        """Write who holds the lock; a full disk is no reason not to open a project."""
        content = {
            "host": socket.gethostname(),
            "process": os.getpid(),
            "since": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        with (
            suppress(ProjectError),
            replacing(self._layout.holder_file, overwrite=True, error=ProjectError) as temporary,
        ):
            temporary.write_text(json.dumps(content), encoding="utf-8")

    def _holder(self) -> str:
        """Return who holds the lock, in words."""
        try:
            content = json.loads(self._layout.holder_file.read_text(encoding="utf-8"))
            host, process, since = content["host"], int(content["process"]), str(content["since"])
        except (OSError, ValueError, KeyError, TypeError):
            return "another program"
        if host == socket.gethostname() and process == os.getpid():
            return f"another window of this program since {_clock(since)}"
        where = "another program on this computer" if host == socket.gethostname() else f"a program on {host}"
        return f"{where} since {_clock(since)} (process {process})"


def _clock(since: str) -> str:
    """Return a time in ISO 8601 as the clock here shows it, with the day if that is another; else as it is."""
    try:
        moment = datetime.fromisoformat(since).astimezone()
    except ValueError:
        return since
    is_today = moment.date() == datetime.now().astimezone().date()
    return f"{moment:%H:%M}" if is_today else f"{moment:%Y-%m-%d %H:%M}"
