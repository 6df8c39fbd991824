"""Whether images look like stained sections, seen beside the main thread."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from psygnal import Signal

from napari_mouse_seg.events import Event, Finished

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_mouse_seg.images import MultiscaleImage
    from napari_mouse_seg.plugin._runner import ThreadRunner


class StainLook:
    """Looks at each RGB image once.

    Parameters
    ----------
    runner
        Reads the pixels.

    Attributes
    ----------
    changed
        An image is no stained section after all; carries it.
    """

    changed = Signal(object)

    def __init__(self, runner: ThreadRunner) -> None:
        self._runner = runner
        self._stained: WeakKeyDictionary[MultiscaleImage, bool] = WeakKeyDictionary()

    def is_stained(self, image: MultiscaleImage) -> bool:
        """Return whether an image looks stained; colours do until they have been seen, or where none can be read."""
        if image.is_rgb and image not in self._stained:
            self._stained[image] = True
            self._runner.start(_look(image), partial(self._on_seen, image), lambda _error: None)
        return self._stained.get(image, False)

    def _on_seen(self, image: MultiscaleImage, event: Event) -> None:
        if isinstance(event, Finished) and not event.result:
            self._stained[image] = False
            self.changed.emit(image)


def _look(image: MultiscaleImage) -> Generator[Event, None, None]:
    from napari_mouse_seg.errors import ImageError
    from napari_mouse_seg.images import looks_stained

    try:
        yield Finished(looks_stained(image))
    except ImageError:
        return  # Whoever segments it is told.
