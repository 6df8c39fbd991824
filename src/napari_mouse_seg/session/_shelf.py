"""Scores and labels that are kept between runs, so that going back to an image finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_mouse_seg.session._workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.pipeline import ScoreCache, SegmentJob
    from napari_mouse_seg.session._engine import Engine

    Listener = Callable[[Workspace], object]

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
    on_aside, on_resumed
        Called with a workspace that another one takes the place of for the time being, or that is back in its place.

    Attributes
    ----------
    current
        The workspace used last; None when it was dropped.
    """

    def __init__(
        self, engine: Engine, on_opened: Listener, on_closed: Listener, on_aside: Listener, on_resumed: Listener
    ) -> None:
        self._engine = engine
        self._on_opened = on_opened
        self._on_closed = on_closed
        self._on_aside = on_aside
        self._on_resumed = on_resumed
        self._caches: dict[Hashable, ScoreCache] = {}  # The one used last at the end.
        self._workspaces: dict[Hashable, Workspace] = {}
        self._aside: dict[Hashable, list[Workspace]] = {}  # Of the same scores, the last one last.
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
        """Take in a new workspace; an earlier one of the same scores is put aside."""
        self._put_aside(workspace.job)
        self.current = self._workspaces[workspace.job.key] = workspace
        self._on_opened(workspace)
        return workspace

    def spare(self, job: SegmentJob) -> Workspace | None:
        """Return a workspace put aside that nobody has painted in, whose labels may be replaced."""
        return next((known for known in self._aside.get(job.key, ()) if not known.edited), None)

    def corrected(self, job: SegmentJob) -> Workspace | None:
        """Return a workspace put aside that was painted in and was made with the job's thresholds."""
        aside = reversed(self._aside.get(job.key, []))
        return next((known for known in aside if known.edited and known.instances == job.instances), None)

    def resume(self, workspace: Workspace) -> Workspace:
        """Bring a workspace that was put aside back to its place, and put aside what is there."""
        key = workspace.job.key
        self._aside[key].remove(workspace)
        self._put_aside(workspace.job)
        self.current = self._workspaces[key] = workspace
        self._on_resumed(workspace)
        return workspace

    def drop(self, workspace: Workspace) -> None:
        """Give up a workspace's labels; its scores are kept. What was painted in and put aside last takes its place."""
        key = workspace.job.key
        aside = self._aside.get(key, [])
        if workspace in aside:
            aside.remove(workspace)
        elif self._workspaces.get(key) is workspace:
            del self._workspaces[key]
        else:
            return
        if self.current is workspace:
            self.current = None
        self._on_closed(workspace)
        edited = [known for known in aside if known.edited]
        if key not in self._workspaces and edited:
            self.resume(edited[-1])

    def _put_aside(self, job: SegmentJob) -> None:
        earlier = self._workspaces.pop(job.key, None)
        if earlier is not None:
            self._aside.setdefault(job.key, []).append(earlier)
            self._on_aside(earlier)

    def forget_image(self, image: MultiscaleImage) -> None:
        """Give up scores and labels of an image."""
        for key in [key for key, cache in self._caches.items() if cache.image is image]:
            self._close(key)

    def clear(self) -> None:
        """Let go of everything, telling nobody."""
        self.current = None
        self._workspaces.clear()
        self._aside.clear()
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
        for workspace in self._aside.pop(key, []):
            self._on_closed(workspace)
        if key in self._workspaces:
            self.drop(self._workspaces[key])
