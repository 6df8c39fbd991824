"""Tiles → scores, with a way back when memory runs out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.errors import OutOfMemoryError
from napari_mouse_seg.events import Event, Started, TileDone, Warned
from napari_mouse_seg.inference._cache import ScoreStore
from napari_mouse_seg.inference._runner import load_runner
from napari_mouse_seg.networks import resolve_device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_mouse_seg.inference._runner import NetworkRunner
    from napari_mouse_seg.inference._source import Source
    from napari_mouse_seg.networks import Device, Model
    from napari_mouse_seg.tiling import Box, Tile, TileGrid

_SMALLEST_CORE_PX = 64
_HALF = 0.5


class Scorer:
    """Runs one model over one image plane and keeps what is done.

    Parameters
    ----------
    source
        Network input.
    model
        Card and weights; loaded at the first run.
    grid
        Tiles; replaced by a finer grid if even one tile is too large for the device.
    device
        Where to run; replaced by the CPU when nothing else helps.
    batch_size
        Tiles a pass; 0 fills the device.
    make_runner
        Loads the network, for tests.
    """

    def __init__(
        self,
        source: Source,
        model: Model,
        grid: TileGrid,
        device: Device,
        batch_size: int = 0,
        make_runner: Callable[[Model, Device], NetworkRunner] = load_runner,
    ) -> None:
        self._source = source
        self._model = model
        self._first_grid = grid
        self._device = device
        self._batch_size = batch_size or max(1, device.batch_px // grid.read_px**2)
        self._make_runner = make_runner
        self._runner: NetworkRunner | None = None
        self.store = ScoreStore(grid, len(model.card.architecture.outputs))

    @property
    def device(self) -> Device:
        """The device in use now."""
        return self._device

    @property
    def batch_size(self) -> int:
        """Tiles a pass now."""
        return self._batch_size

    def load(self) -> NetworkRunner:
        """Load the network onto its device, once."""
        if self._runner is None:
            self._runner = self._make_runner(self._model, self._device)
        return self._runner

    def prepare(self) -> Iterator[Event]:
        """Read the whole-image statistics, if that has not been done; close the generator to cancel."""
        for done, total in self._source.prepare():
            if done == 1:
                yield Started("statistics", total)
            yield TileDone("statistics", done, total)

    def polarity_warning(self) -> str | None:
        """Return a warning if most of the image is as bright as the objects should be (or as dark).

        Areas fill the image, so nothing can be said of them.
        """
        if self._source.median < _HALF or self._model.card.makes_areas:
            return None
        expected = self._source.polarity
        other = "dark" if expected == "bright" else "bright"
        return (
            f"The model {self._model.card.name} looks for {expected} objects, but most of the image is {expected}; "
            f"check the channel, or say that objects are {other}."
        )

    def empty_warning(self) -> str:
        """Return what to say when nothing was found."""
        limits = self._source.limits
        return (
            f"No objects were found. Intensities from {limits.low:g} to {limits.high:g} were stretched for the model; "
            "lower the foreground threshold, or check channel and scale."
        )

    def compute(self, box: Box) -> Iterator[Event]:
        """Complete the scores of ``box``; close the generator to cancel, finished tiles are kept.

        Yields
        ------
        Event
            Started, TileDone and, where memory ran out, Warned.

        Raises
        ------
        OutOfMemoryError
            If the smallest tile does not fit on the CPU either.
        ExportError
            If the scores go to a temporary file and the disk is full.
        """
        while self.store.missing(box):
            try:
                yield from self._run_missing(box)
            except OutOfMemoryError as error:
                yield Warned(self._back_off(error))

    def _run_missing(self, box: Box) -> Iterator[Event]:
        tiles = self.store.missing(box)
        self.store.require_room(tiles)
        yield Started("scores", len(tiles))
        runner = self.load()
        groups = [tiles[i : i + self._batch_size] for i in range(0, len(tiles), self._batch_size)]
        done = 0
        with ThreadPoolExecutor(1) as pool:
            upcoming = pool.submit(self._read, groups[0])
            for group, after in zip(groups, [*groups[1:], None], strict=True):
                batch = upcoming.result()
                self.store.require_room(group)
                if after is not None:
                    upcoming = pool.submit(self._read, after)
                for tile, scores in zip(group, runner.run(batch), strict=True):
                    self.store.add(tile, scores)
                    done += 1
                    yield TileDone("scores", done, len(tiles), tile.write)

    def _read(self, tiles: list[Tile]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.stack([self._source.read(tile.read) for tile in tiles])

    def _back_off(self, error: OutOfMemoryError) -> str:
        """Take the next smaller step and say which; the order is batch, tile, CPU."""
        does_not_load = self._runner is None
        if self._batch_size > 1 and not does_not_load:
            self._batch_size //= 2
            return f"{error} Going on with {self._batch_size} tiles a pass."
        grid = self.store.grid
        stride = self._model.card.stride_px
        core_px = grid.core_px // 2 // stride * stride
        if core_px >= _SMALLEST_CORE_PX and not does_not_load:
            self._restart(replace(grid, core_px=core_px))
            return f"{error} Starting again with tiles of {self.store.grid.read_px} px."
        if self._device.name == "cpu":
            raise error
        self._device = resolve_device("cpu")
        self._restart(self._first_grid)
        return f"{error} Starting again on the CPU."

    def _restart(self, grid: TileGrid) -> None:
        self._runner = None if self._runner and self._runner.device != self._device else self._runner
        self.store = ScoreStore(grid, len(self._model.card.architecture.outputs))
