"""Scores and labels that are kept between runs, so that going back to an image finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.session._workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.pipeline import ScoreCache, SegmentJob
    from napari_mouse_seg.session._engine import Engine

_LEAST_KEPT = 4
_MOST_KEPT = 32
_MOST_BYTES = 1_500_000_000


class Shelf:
    """Caches and workspaces by what scores depend on; those of the choices used longest ago are let go.

    Only when there are very many, or when they fill the memory: labels without their scores take no more objects, so
    going back to them would make a second layer over the first.

    Parameters
    ----------
    engine
        Makes caches and canvases.
    on_opened, on_closed
        Called with a workspace that is new, or that will not change any more.

    Attributes
    ----------
    current
        The workspace used last; None when it was dropped.
    """

    def __init__(
        self, engine: Engine, on_opened: Callable[[Workspace], object], on_closed: Callable[[Workspace], object]
    ) -> None:
        self._engine = engine
        self._on_opened = on_opened
        self._on_closed = on_closed
        self._caches: dict[Hashable, ScoreCache] = {}  # The one used last at the end.
        self._workspaces: dict[Hashable, Workspace] = {}
        self.current: Workspace | None = None

    def find(self, job: SegmentJob) -> Workspace | None:
        """Return the workspace that the job adds to, if there is one."""
        return self._workspaces.get(job.key)

    def open(self, job: SegmentJob) -> Workspace:
        """Return the workspace that the job adds to, made anew if there is none; known scores are reused."""
        cache = self._caches.pop(job.key, None) or self._engine.new_cache(job)
        self._caches[job.key] = cache
        self._make_room()
        self.current = self.find(job)
        return self.current or self.show(Workspace(job, cache, self._engine.new_canvas(job)))

    def show(self, workspace: Workspace) -> Workspace:
        """Take in a new workspace; it takes the place of an earlier one of the same scores."""
        earlier = self.find(workspace.job)
        if earlier is not None:
            self.drop(earlier)
        self.current = self._workspaces[workspace.job.key] = workspace
        self._on_opened(workspace)
        return workspace

    def drop(self, workspace: Workspace) -> None:
        """Give up a workspace's labels; its scores are kept."""
        if self.find(workspace.job) is not workspace:
            return
        del self._workspaces[workspace.job.key]
        if self.current is workspace:
            self.current = None
        self._on_closed(workspace)

    def forget_image(self, image: MultiscaleImage) -> None:
        """Give up scores and labels of an image."""
        for key in [key for key, cache in self._caches.items() if cache.image is image]:
            self._close(key)

    def clear(self) -> None:
        """Let go of everything, telling nobody."""
        self.current = None
        self._workspaces.clear()
        self._caches.clear()

    def _make_room(self) -> None:
        """Let go of what was used longest ago, while there is too much."""
        n_bytes = sum(cache.n_bytes for cache in self._caches.values())
        for key, cache in list(self._caches.items())[:-_LEAST_KEPT]:
            if n_bytes <= _MOST_BYTES and len(self._caches) <= _MOST_KEPT:
                return
            n_bytes -= cache.n_bytes
            self._close(key)

    def _close(self, key: Hashable) -> None:
        self._caches.pop(key).close()
        if key in self._workspaces:
            self.drop(self._workspaces[key])
