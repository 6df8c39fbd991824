"""Tiles → scores, with a way back when memory runs out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_mouse_seg.errors import DeviceError, ExportError, OutOfMemoryError
from napari_mouse_seg.events import Event, Started, TileDone, Warned
from napari_mouse_seg.images import IntensityRange
from napari_mouse_seg.inference._cache import ScoreStore
from napari_mouse_seg.inference._flips import FLIPS, flipped, mean_over_flips
from napari_mouse_seg.inference._kept import Setup
from napari_mouse_seg.inference._runner import load_runner
from napari_mouse_seg.networks import free_memory, resolve_device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_mouse_seg.inference._kept import KeptTiles
    from napari_mouse_seg.inference._runner import NetworkRunner
    from napari_mouse_seg.inference._source import Source
    from napari_mouse_seg.networks import Device, Model
    from napari_mouse_seg.tiling import Box, Tile, TileGrid

_SMALLEST_CORE_PX = 64
_HALF = 0.5
_LABEL_BYTES = 4


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
    kept
        Where finished tiles are kept for a later process, and those of an earlier one are.
    flips
        Whether scores are the mean over all ways to turn and mirror a tile.
    """

    def __init__(
        self,
        source: Source,
        model: Model,
        grid: TileGrid,
        device: Device,
        batch_size: int = 0,
        make_runner: Callable[[Model, Device], NetworkRunner] = load_runner,
        kept: KeptTiles | None = None,
        flips: bool = False,
    ) -> None:
        self._source = source
        self._model = model
        self._first_grid = grid
        self._device = device
        self._batch_size = 1
        self._asked_batch: int | None = None
        self.ask_batch(batch_size)
        self._make_runner = make_runner
        self._runner: NetworkRunner | None = None
        self._kept = kept
        self._flips = flips
        self._is_taken_up = False
        self._channels = len(model.card.architecture.outputs)
        self.store = ScoreStore(grid, self._channels)

    @property
    def device(self) -> Device:
        """The device in use now."""
        return self._device

    @property
    def batch_size(self) -> int:
        """Tiles a pass now."""
        return self._batch_size

    def ask_batch(self, size: int) -> None:
        """Take so many tiles a pass, 0 for what suits the device; asked for the same, what memory allowed stays."""
        if size != self._asked_batch:
            self._asked_batch = size
            self._batch_size = size or self._suitable_batch()

    def _suitable_batch(self) -> int:
        return max(1, self._device.batch_px // self._first_grid.read_px**2)

    def load(self) -> NetworkRunner:
        """Load the network onto its device, once."""
        if self._runner is None:
            self._runner = self._make_runner(self._model, self._device)
        return self._runner

    def prepare(self) -> Iterator[Event]:
        """Read the whole-image statistics, if that has not been done, and the tiles that an earlier process kept.

        Close the generator to cancel.

        Yields
        ------
        Event
            Started and TileDone of the stages ``"statistics"`` and ``"kept"``, the latter with passes; Warned where
            tiles cannot be used or kept.

        Raises
        ------
        ImageError
            If the image is constant or cannot be read.
        ExportError
            If the folder of kept tiles cannot be written to, or temporary files have no room.
        """
        setup = None if self._kept is None else self._kept.setup
        if setup is not None:
            self._source.restore(IntensityRange(setup.low, setup.high), setup.median)
        for done, total in self._source.prepare():
            if done == 1:
                yield Started("statistics", total)
            yield TileDone("statistics", done, total)
        if self._kept is not None and not self._is_taken_up:
            yield from self._take_up(self._kept, setup)

    def _take_up(self, kept: KeptTiles, setup: Setup | None) -> Iterator[Event]:
        """Put kept tiles where they belong; find out whether there is room to keep the others."""
        if kept.warning:
            yield Warned(kept.warning)
        if setup is None:
            kept.begin(self._setup())
        elif setup != self._setup():
            if setup.device != self._device.name:
                self._move_to_cpu()
            self.store = ScoreStore(replace(self._first_grid, core_px=setup.core_px), self._channels)
            yield Warned(
                f"Memory ran out before the run was cut off; going on as then, with tiles of {self.store.grid.read_px} "
                f"px on {self._device.label}."
            )
        total = kept.n_passes
        if total:
            yield Started("kept", total)
        for done, tiles in enumerate(kept.passes(self.store.grid, self._channels), start=1):
            self.store.require_room([tile for tile, _ in tiles])
            for tile, part in tiles:
                self.store.put(tile, part)
            yield TileDone("kept", done, total)
        self._is_taken_up = True
        yield from self._find_room(kept)

    def _find_room(self, kept: KeptTiles) -> Iterator[Event]:
        """Keep no tiles where they would take the room of what the run cannot do without."""
        bounds = self.store.grid.bounds
        needed = self.store.n_bytes(self.store.missing(bounds))
        if self.store.shares_disk_with(kept.folder):
            needed += needed + bounds.area * _LABEL_BYTES
        if kept.room_bytes() < needed:
            self._kept = None
            yield Warned(
                f"Finished tiles are not kept in {kept.folder}: the run would need {needed / 1e9:.1f} GB there, and "
                "the disk is too full. If it is killed, they are computed again."
            )

    def _setup(self) -> Setup:
        limits, grid = self._source.limits, self.store.grid
        return Setup(limits.low, limits.high, self._source.median, grid.core_px, self._device.name)

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
            Started, TileDone and, where memory ran out or a GPU failed, Warned.

        Raises
        ------
        OutOfMemoryError
            If the smallest tile does not fit on the CPU either.
        ExportError
            If the scores go to a temporary file and the disk is full.
        """
        try:
            while self.store.missing(box):
                # What memory a failed pass holds is held by its traceback, so the error is let go of first.
                lacking, failed = "", ""
                try:
                    yield from self._run_missing(box)
                except OutOfMemoryError as error:
                    lacking = str(error)
                except DeviceError as error:
                    failed = str(error)
                if lacking or failed:
                    warning = self._back_off(lacking) if lacking else self._give_up_device(failed)
                    free_memory(self._device.name)
                    yield Warned(warning)
        finally:
            free_memory(self._device.name)  # Others want it too: a training, other programs.

    def _run_missing(self, box: Box) -> Iterator[Event]:
        tiles = self.store.missing(box)
        self.store.require_room(tiles)
        yield Started("scores", len(tiles))
        runner = self.load()
        # Flips fill a pass as tiles do, so that a cancel is heard as soon.
        size = max(1, self._batch_size // FLIPS) if self._flips else self._batch_size
        groups = _passes(tiles, size)
        done = 0
        with ThreadPoolExecutor(1) as pool:
            upcoming = pool.submit(self._read, groups[0])
            for group, after in zip(groups, [*groups[1:], None], strict=True):
                batch = upcoming.result()
                self.store.require_room(group)
                if after is not None:
                    upcoming = pool.submit(self._read, after)
                scores = self._run(runner, batch)
                parts = [self.store.add(tile, part) for tile, part in zip(group, scores, strict=True)]
                yield from self._keep(group, parts)
                for tile in group:
                    done += 1
                    yield TileDone("scores", done, len(tiles), tile.write)

    def _run(self, runner: NetworkRunner, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        if not self._flips:
            return runner.run(tiles)
        size = self._batch_size
        scores = [
            np.concatenate([runner.run(ways[i : i + size]) for i in range(0, len(ways), size)])
            for ways in flipped(tiles)
        ]
        return mean_over_flips(*scores)

    def _keep(self, tiles: list[Tile], parts: list[NDArray[np.uint16]]) -> Iterator[Event]:
        """Keep tiles for a later process; where that is not possible any more, the run goes on without."""
        if self._kept is None:
            return
        try:
            self._kept.append(tiles, parts)
        except ExportError as error:
            self._kept = None
            yield Warned(f"{error} Tiles are no longer kept; if the run is killed, the others are computed again.")

    def _read(self, tiles: list[Tile]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.stack([self._source.read(tile.read) for tile in tiles])

    def _back_off(self, error: str) -> str:
        """Take the next smaller step and say which; the order is batch, tile, CPU.

        Raises
        ------
        OutOfMemoryError
            If there is none.
        """
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
            raise OutOfMemoryError(error)
        return self._give_up_device(error)

    def _give_up_device(self, error: str) -> str:
        """Go on without a GPU, and say so."""
        self._move_to_cpu()
        self._restart(self._first_grid)
        return f"{error} Starting again on the CPU."

    def _move_to_cpu(self) -> None:
        """Go on there, with passes that suit it: one that fills a GPU is far too much."""
        self._device = resolve_device("cpu")
        self._batch_size = min(self._asked_batch or self._suitable_batch(), self._suitable_batch())

    def _restart(self, grid: TileGrid) -> None:
        self._runner = None if self._runner and self._runner.device != self._device else self._runner
        self.store = ScoreStore(grid, self._channels)
        if self._kept is not None:
            self._kept.begin(self._setup())


def _passes(tiles: list[Tile], size: int) -> list[list[Tile]]:
    """Part tiles into passes of at most ``size``, each of tiles of one shape: those at the image's edge are smaller."""
    alike: dict[tuple[int, int], list[Tile]] = {}
    for tile in tiles:
        alike.setdefault(tile.read.shape, []).append(tile)
    return [group[i : i + size] for group in alike.values() for i in range(0, len(group), size)]
