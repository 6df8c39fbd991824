"""Tiles that a killed process left are those of the run that goes on."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from helpers.models import write_random_model
from helpers.scenes import cell_image
from napari_mouse_seg.errors import ExportError, OutOfMemoryError
from napari_mouse_seg.events import Started, TileDone, Warned
from napari_mouse_seg.images import from_arrays
from napari_mouse_seg.inference import KeptTiles, NetworkRunner, Scorer, Source, SourcePlan, remove_kept
from napari_mouse_seg.networks import Device, resolve_device
from napari_mouse_seg.tiling import TileGrid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_mouse_seg.events import Event
    from napari_mouse_seg.networks import Model

SHAPE = (150, 170)
N_TILES = 9
KEY = {"image": ["abc", 1], "model": "m", "scale": (1, 2)}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_random_model(tmp_path_factory.mktemp("model"))


class Process:
    """What one process does with the folder: it goes on, and ends after so many tiles."""

    def __init__(self, model: Model, folder: Path, **options: object) -> None:
        self.model, self.folder = model, folder
        self.key: dict[str, object] = dict(KEY)
        self.core_px, self.device = 64, resolve_device("cpu")
        self.options = options

    def run(self, stop_after: int | None = None) -> tuple[np.ndarray, list[Event]]:
        image = from_arrays([cell_image(SHAPE)], axes="YX", name="cells")
        source = Source(image.plane(), SourcePlan(0, SHAPE, 1, self.model.card.intensity))
        grid = TileGrid(SHAPE, self.core_px, self.model.card.halo_px, stride_px=self.model.card.stride_px)
        events: list[Event] = []
        with closing(KeptTiles(self.folder, self.key)) as kept:
            scorer = Scorer(source, self.model, grid, self.device, 2, kept=kept, **self.options)
            events += scorer.prepare()
            for event in scorer.compute(grid.bounds):
                events.append(event)
                if isinstance(event, TileDone) and event.done == stop_after:
                    break
            return np.array(scorer.store.read(grid.bounds)), events


def scored(events: list[Event]) -> int:
    """How many tiles the network ran on."""
    return sum(isinstance(event, TileDone) and event.stage == "scores" for event in events)


def warnings(events: list[Event]) -> str:
    return " ".join(event.message for event in events if isinstance(event, Warned))


@pytest.fixture
def straight(model: Model, tmp_path: Path) -> np.ndarray:
    scores, events = Process(model, tmp_path / "straight").run()
    assert scored(events) == N_TILES
    return scores


def test_a_run_goes_on_at_the_pass_where_it_was_with_the_same_bits(
    model: Model, tmp_path: Path, straight: np.ndarray
) -> None:
    _, events = Process(model, tmp_path / "part").run(stop_after=4)
    assert scored(events) == 4
    scores, events = Process(model, tmp_path / "part").run()
    assert scored(events) == N_TILES - 4
    assert Started("kept", 2) in events
    np.testing.assert_array_equal(scores, straight)
    # All is there now, and the statistics too: the image is not even read.
    scores, events = Process(model, tmp_path / "part").run()
    assert {event.stage for event in events if isinstance(event, Started)} == {"kept"}
    np.testing.assert_array_equal(scores, straight)


def test_a_file_cut_or_damaged_anywhere_never_gives_other_scores(
    model: Model, tmp_path: Path, straight: np.ndarray
) -> None:
    Process(model, tmp_path / "part").run(stop_after=6)
    content = (tmp_path / "part" / "tiles").read_bytes()
    rng = np.random.default_rng(0)
    for number, position in enumerate(rng.integers(0, len(content), 3)):
        damaged = bytearray(content)
        damaged[position] ^= 1
        for name, left in (("cut", content[:position]), ("damaged", bytes(damaged))):
            folder = tmp_path / f"{name}{number}"
            folder.mkdir()
            (folder / "tiles").write_bytes(left)
            scores, events = Process(model, folder).run()
            assert N_TILES - 6 < scored(events) <= N_TILES
            np.testing.assert_array_equal(scores, straight)


@pytest.mark.parametrize("position", [5, 20, 110])  # the first frame's head, the key, the setup
def test_a_damaged_head_starts_the_run_again_and_says_so(
    model: Model, tmp_path: Path, straight: np.ndarray, position: int
) -> None:
    Process(model, tmp_path / "part").run(stop_after=4)
    path = tmp_path / "part" / "tiles"
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    scores, events = Process(model, tmp_path / "part").run()
    assert scored(events) == N_TILES
    assert "damaged, so the run starts again" in warnings(events)
    np.testing.assert_array_equal(scores, straight)


@pytest.mark.parametrize("name", list(KEY))
def test_tiles_of_another_key_are_dropped_in_words(
    model: Model, tmp_path: Path, straight: np.ndarray, name: str
) -> None:
    before = Process(model, tmp_path / "part")
    before.key[name] = "other"
    before.run(stop_after=4)
    scores, events = Process(model, tmp_path / "part").run()
    assert f"are of another {name}, so the run starts again" in warnings(events)
    assert scored(events) == N_TILES
    np.testing.assert_array_equal(scores, straight)


def runs_out_at(*passes: int) -> type[NetworkRunner]:
    """Return a runner whose memory runs out at some passes, counted from 1."""

    class RunsOut(NetworkRunner):
        passed = 0

        def run(self, tiles: np.ndarray) -> np.ndarray:
            type(self).passed += 1
            if self.passed in passes:
                raise OutOfMemoryError("No more.")
            return super().run(tiles)

    return RunsOut


def test_a_grid_that_got_finer_for_lack_of_memory_is_taken_up(
    model: Model, tmp_path: Path, straight: np.ndarray
) -> None:
    def process(**options: object) -> Process:
        found = Process(model, tmp_path / "part", **options)
        found.core_px = 128
        return found

    _, events = process(make_runner=runs_out_at(1, 2)).run(stop_after=4)  # fewer tiles a pass, then finer ones
    assert "Starting again with tiles of 240 px" in warnings(events)
    # This process would have memory enough for the coarse grid, but half of each is no result.
    scores, events = process().run()
    assert "going on as then, with tiles of 240 px" in warnings(events)
    assert scored(events) == N_TILES - 4
    np.testing.assert_array_equal(scores, straight)


def test_tiles_of_a_grid_that_was_given_up_are_dropped(model: Model, tmp_path: Path, straight: np.ndarray) -> None:
    process = Process(model, tmp_path / "part", make_runner=runs_out_at(2, 3))
    process.core_px = 128
    scores, events = process.run()
    assert scored(events) == 1 + N_TILES
    np.testing.assert_array_equal(scores, straight)
    scores, events = process.run()
    assert scored(events) == 0
    np.testing.assert_array_equal(scores, straight)


def test_a_device_that_was_given_up_stays_given_up(model: Model, tmp_path: Path) -> None:
    made: list[str] = []

    def process() -> Process:
        found = Process(model, tmp_path / "part", make_runner=only_cpu(made))
        found.device = Device("cuda", None, 2**20, "tiny")
        return found

    _, events = process().run(stop_after=4)
    assert "Starting again on the CPU" in warnings(events)
    made.clear()
    _, events = process().run()
    assert "on CPU" in warnings(events)
    assert made == [resolve_device("cpu").label]
    assert scored(events) == N_TILES - 4


def only_cpu(made: list[str]) -> Callable[[Model, Device], NetworkRunner]:
    class OnlyCpu(NetworkRunner):
        def __init__(self, model: Model, device: Device) -> None:
            made.append(device.label)
            super().__init__(model, Device("cpu", None, 2**20, device.label))
            self.device = device

        def run(self, tiles: np.ndarray) -> np.ndarray:
            if self.device.label == "tiny":
                raise OutOfMemoryError(f"{len(tiles)} tiles do not fit.")
            return super().run(tiles)

    return OnlyCpu


def test_without_room_for_the_tiles_a_run_keeps_none_and_ends_well(
    model: Model, tmp_path: Path, straight: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    plenty = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: plenty._replace(free=200_100_000))
    scores, events = Process(model, tmp_path / "part").run()
    assert "are not kept in" in warnings(events)
    assert scored(events) == N_TILES
    np.testing.assert_array_equal(scores, straight)
    assert not (tmp_path / "part").exists()


def test_a_disk_that_fills_up_ends_the_keeping_and_not_the_run(
    model: Model, tmp_path: Path, straight: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    plenty = shutil.disk_usage(tmp_path)
    asked = 0

    def usage(_: object) -> object:
        nonlocal asked
        asked += 1
        return plenty if asked < 4 else plenty._replace(free=1000)

    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", usage)
        scores, events = Process(model, tmp_path / "part").run()
    assert warnings(events).count("no longer kept") == 1
    assert scored(events) == N_TILES
    np.testing.assert_array_equal(scores, straight)
    scores, events = Process(model, tmp_path / "part").run()
    assert 0 < scored(events) < N_TILES
    np.testing.assert_array_equal(scores, straight)


@pytest.fixture
def _scores_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr("napari_mouse_seg.inference._cache.IN_MEMORY_BYTES", 100)


@pytest.mark.usefixtures("_scores_on_disk")
def test_scores_too_large_for_memory_are_taken_up(model: Model, tmp_path: Path, straight: np.ndarray) -> None:
    Process(model, tmp_path / "part").run(stop_after=4)
    scores, events = Process(model, tmp_path / "part").run()
    assert scored(events) == N_TILES - 4
    np.testing.assert_array_equal(scores, straight)


@pytest.mark.parametrize(("share", "is_kept"), [(1.5, False), (2.5, True)])
@pytest.mark.usefixtures("_scores_on_disk")
def test_kept_tiles_leave_room_for_scores_and_labels_on_the_same_disk(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, *, is_kept: bool
) -> None:
    grid = TileGrid(SHAPE, 64, model.card.halo_px, stride_px=model.card.stride_px)
    scores_bytes = sum(tile.write.area for tile in grid.tiles()) * 3 * 2
    room = 200_000_000 + int(share * scores_bytes) + SHAPE[0] * SHAPE[1] * 4
    plenty = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _: plenty._replace(free=room))
        _, events = Process(model, tmp_path / "part").run(stop_after=4)
    assert ("are not kept in" in warnings(events)) is not is_kept
    assert scored(events) == 4


def test_two_processes_do_not_write_into_one_folder(tmp_path: Path) -> None:
    with closing(KeptTiles(tmp_path / "part", KEY)):
        with pytest.raises(ExportError, match="Another process is working on the same image"):
            KeptTiles(tmp_path / "part", KEY)
        with pytest.raises(ExportError, match="Another process"):
            remove_kept(tmp_path / "part")
    assert not (tmp_path / "part").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="is not a folder; choose another"):
        KeptTiles(tmp_path / "file" / "part", KEY)


@pytest.mark.parametrize(("number", "goes_on"), [(errno.ENOTSUP, True), (errno.ENOLCK, True), (errno.EROFS, False)])
def test_a_volume_without_locks_keeps_tiles_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, goes_on: bool
) -> None:
    def refuse(_lock: object, *_arguments: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("napari_mouse_seg.inference._kept.FileLock.acquire", refuse)
    if goes_on:
        KeptTiles(tmp_path / "part", KEY).close()
    else:
        with pytest.raises(ExportError, match="no permission"):
            KeptTiles(tmp_path / "part", KEY)
