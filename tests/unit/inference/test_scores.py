from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from helpers.models import write_random_model
from helpers.scenes import cell_image
from napari_mouse_seg.errors import DeviceError, ExportError, OutOfMemoryError
from napari_mouse_seg.events import Started, TileDone, Warned
from napari_mouse_seg.images import from_arrays, intensity_range, normalise
from napari_mouse_seg.inference import NetworkRunner, Scorer, ScoreStore, Source, SourcePlan, sparse_zeros
from napari_mouse_seg.inference._runner import _using
from napari_mouse_seg.networks import Device, Model, resolve_device
from napari_mouse_seg.tiling import SCORE_ONE, Box, TileGrid
from napari_mouse_seg.training import predict_scores

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (150, 170)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return write_random_model(tmp_path)


def scorer_of(
    model: Model,
    core_px: int = 64,
    batch_size: int = 2,
    pixels: np.ndarray | None = None,
    device: Device | None = None,
    **options: object,
) -> Scorer:
    pixels = cell_image(SHAPE) if pixels is None else pixels
    image = from_arrays([pixels], axes="YX", name="cells")
    source = Source(image.plane(), SourcePlan(0, pixels.shape, 1, model.card.intensity))
    grid = TileGrid(pixels.shape, core_px, model.card.halo_px, stride_px=model.card.stride_px)
    return Scorer(source, model, grid, device or resolve_device("cpu"), batch_size, **options)


def whole(scorer: Scorer) -> np.ndarray:
    for _ in scorer.compute(scorer.store.grid.bounds):
        pass
    return np.array(scorer.store.read(scorer.store.grid.bounds))


def test_scores_do_not_depend_on_the_tile_size_when_the_halo_covers_the_receptive_field(model: Model) -> None:
    small, large = whole(scorer_of(model, 64)), whole(scorer_of(model, 192))
    # Rounding of blended parts is the only difference that is left: one unit for each of four tiles.
    assert np.abs(small.astype(int) - large.astype(int)).max() <= 4
    assert np.ptp(small[0]) > SCORE_ONE / 4


def test_a_halo_too_small_shows_in_the_scores(tmp_path: Path) -> None:
    starved = write_random_model(tmp_path, halo_px=0)
    difference = whole(scorer_of(starved, 64)).astype(int) - whole(scorer_of(starved, 192)).astype(int)
    assert np.abs(difference).max() > SCORE_ONE / 100


def test_a_view_has_exactly_the_scores_of_the_full_image(model: Model) -> None:
    full = whole(scorer_of(model))
    scorer = scorer_of(model, batch_size=3)
    view = Box(40, 70, 90, 130)
    events = list(scorer.compute(view))
    assert sum(isinstance(event, TileDone) for event in events) < 9
    complete = scorer.store.grid.complete_box(view)
    np.testing.assert_array_equal(scorer.store.read(complete), full[:, *complete.slices])


def test_averaged_over_flips_a_turned_image_has_turned_scores(model: Model) -> None:
    pixels = cell_image((128, 128))
    turned = np.rot90(pixels)[:, ::-1]
    upright, other = (whole(scorer_of(model, 64, pixels=each, flips=True)) for each in (pixels, turned))
    back = np.rot90(other[:, :, ::-1], -1, (1, 2))
    assert np.abs(upright.astype(int) - back.astype(int)).max() <= 4
    plain, other = (whole(scorer_of(model, 64, pixels=each)) for each in (pixels, turned))
    back = np.rot90(other[:, :, ::-1], -1, (1, 2))
    assert np.abs(plain.astype(int) - back.astype(int)).max() > SCORE_ONE / 100


@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_a_view_averaged_over_flips_has_the_scores_of_the_full_image(model: Model, batch_size: int) -> None:
    full = whole(scorer_of(model, flips=True))
    scorer = scorer_of(model, batch_size=batch_size, flips=True)
    view = Box(40, 70, 90, 130)
    assert sum(isinstance(event, TileDone) for event in scorer.compute(view)) == len(
        list(scorer.store.grid.tiles(view))
    )
    complete = scorer.store.grid.complete_box(view)
    # Passes of other sizes may round otherwise.
    difference = scorer.store.read(complete).astype(int) - full[:, *complete.slices].astype(int)
    assert np.abs(difference).max() <= 4


def test_finished_tiles_are_not_run_again_after_a_cancel(model: Model) -> None:
    scorer = scorer_of(model, batch_size=1)
    run = scorer.compute(scorer.store.grid.bounds)
    while not isinstance(next(run), TileDone):
        pass
    run.close()
    events = list(scorer.compute(scorer.store.grid.bounds))
    assert events[0] == Started("scores", 8)
    np.testing.assert_array_equal(scorer.store.read(scorer.store.grid.bounds), whole(scorer_of(model)))


def test_statistics_are_read_once_in_bands_and_can_be_given_up(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_mouse_seg.images._plane._BAND_PIXELS", 170 * 50)
    scorer = scorer_of(model)
    steps = scorer.prepare()
    next(steps)
    steps.close()
    assert list(scorer.prepare()) == [
        Started("statistics", 3),
        *(TileDone("statistics", done, 3) for done in (1, 2, 3)),
    ]
    assert list(scorer.prepare()) == []
    assert scorer_of(model).polarity_warning() == scorer.polarity_warning()


class _SmallMemory(NetworkRunner):
    """Fits up to ``room`` input pixels on its device."""

    room = 0

    def run(self, tiles: np.ndarray) -> np.ndarray:
        if tiles.size > self.room:
            raise OutOfMemoryError(f"{len(tiles)} tiles do not fit.")
        return super().run(tiles)


def test_out_of_memory_leads_to_smaller_batches_and_then_smaller_tiles(model: Model) -> None:
    _SmallMemory.room = 250**2
    scorer = scorer_of(model, 128, batch_size=4, pixels=cell_image((400, 420)), make_runner=_SmallMemory)
    events = list(scorer.compute(scorer.store.grid.bounds))
    warnings = [event.message for event in events if isinstance(event, Warned)]
    assert len(warnings) == 3
    assert "Going on with 2 tiles a pass" in warnings[0]
    assert "Going on with 1 tiles a pass" in warnings[1]
    assert "Starting again with tiles of 240 px" in warnings[2]
    assert not scorer.store.missing(scorer.store.grid.bounds)


def test_at_its_edge_an_image_ends_as_it_does_for_a_network_that_sees_it_whole(model: Model) -> None:
    """A mirrored margin would double the objects that the edge cuts."""
    exact = replace(resolve_device("cpu"), half_dtype=None)  # As training looks at it, also where bfloat16 is fast.
    scores = whole(scorer_of(model, device=exact))
    pixels = cell_image(SHAPE)
    limits = intensity_range(pixels, model.card.intensity)
    seen = predict_scores(model.network(), normalise(pixels, limits, model.card.intensity)[None])
    # predict_scores mirrors up to a multiple of 32 below and to the right, tiles up to the stride.
    inner = np.s_[:, : SHAPE[0] - 90, : SHAPE[1] - 90]
    assert np.abs(scores[inner].astype(int) - seen[inner]).max() <= 4


def test_when_nothing_fits_the_error_says_so(model: Model) -> None:
    _SmallMemory.room = 10
    scorer = scorer_of(model, 64, batch_size=2, make_runner=_SmallMemory)
    with pytest.raises(OutOfMemoryError, match="1 tiles do not fit"):
        list(scorer.compute(scorer.store.grid.bounds))


def test_a_device_that_is_too_small_is_left_for_the_cpu(model: Model) -> None:
    made: list[str] = []

    class OnlyCpu(_SmallMemory):
        def __init__(self, model: Model, device: Device) -> None:
            made.append(device.label)
            self.room = 10 if device.label == "tiny" else 10**9
            super().__init__(model, Device("cpu", None, 2**20, device.label))
            self.device = device

    image = from_arrays([cell_image(SHAPE)], axes="YX", name="cells")
    source = Source(image.plane(), SourcePlan(0, SHAPE, 1, model.card.intensity))
    tiny = Device("cuda", None, 2**20, "tiny")
    scorer = Scorer(
        source, model, TileGrid(SHAPE, 64, 64, stride_px=model.card.stride_px), tiny, 1, make_runner=OnlyCpu
    )
    warnings = [event.message for event in scorer.compute(Box(0, 0, 50, 50)) if isinstance(event, Warned)]
    assert any("Starting again on the CPU" in message for message in warnings)
    assert made[-1].startswith("CPU")


def test_the_order_of_tiles_does_not_change_a_single_bit() -> None:
    grid = TileGrid((100, 130), 64, 32, stride_px=8)
    rng = np.random.default_rng(1)
    parts = [(tile, rng.random((3, grid.read_px, grid.read_px), dtype=np.float32)) for tile in grid.tiles()]
    forward, backward = ScoreStore(grid, 3), ScoreStore(grid, 3)
    for tile, scores in parts:
        forward.add(tile, scores)
    for tile, scores in reversed(parts):
        backward.add(tile, scores)
        backward.add(tile, scores)  # Twice counts once.
    np.testing.assert_array_equal(forward.read(grid.bounds), backward.read(grid.bounds))


def test_scores_of_one_are_stored_as_one_everywhere() -> None:
    grid = TileGrid((100, 130), 64, 32, stride_px=8)
    store = ScoreStore(grid, 1)
    for tile in grid.tiles():
        store.add(tile, np.ones((1, grid.read_px, grid.read_px), np.float32))
    assert (store.read(grid.bounds) == SCORE_ONE).all()


def test_large_arrays_live_in_a_temporary_file_that_goes_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("napari_mouse_seg.inference._cache.IN_MEMORY_BYTES", 100)
    array = sparse_zeros((50, 50), np.uint16)
    assert isinstance(array, np.memmap)
    array[3, 4] = 5
    assert array.sum() == 5
    del array
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_up_stops_the_run_in_words_and_keeps_finished_tiles(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("napari_mouse_seg.inference._cache.IN_MEMORY_BYTES", 100)
    scorer = scorer_of(model, 64, batch_size=1)
    plenty = shutil.disk_usage(tmp_path)
    steps = scorer.compute(Box(0, 0, *SHAPE))
    assert isinstance(next(steps), Started)
    next(steps)
    monkeypatch.setattr("shutil.disk_usage", lambda _: plenty._replace(free=1000))
    with pytest.raises(ExportError, match="free some space or set TMPDIR"):
        list(steps)
    monkeypatch.setattr("shutil.disk_usage", lambda _: plenty)
    before = len(scorer.store.missing(scorer.store.grid.bounds))
    assert before < len(list(scorer.store.grid.tiles()))
    list(scorer.compute(Box(0, 0, *SHAPE)))
    assert not scorer.store.missing(scorer.store.grid.bounds)


class _Gpu(NetworkRunner):
    """Stands in for a GPU: works on the CPU until it fails in other ways than for lack of memory."""

    def __init__(self, model: Model, device: Device) -> None:
        super().__init__(model, Device("cpu", None, device.batch_px, device.label))
        self.device = device

    def run(self, tiles: np.ndarray) -> np.ndarray:
        if self.device.name == "cpu":
            return super().run(tiles)
        with _using(self.device, "too many"):
            raise RuntimeError("CUDA error: unspecified launch failure\nCompile with `TORCH_USE_CUDA_DSA`.")


def test_a_gpu_that_fails_is_left_for_the_cpu_with_passes_that_suit_it(model: Model) -> None:
    image = from_arrays([cell_image(SHAPE)], axes="YX", name="cells")
    source = Source(image.plane(), SourcePlan(0, SHAPE, 1, model.card.intensity))
    grid = TileGrid(SHAPE, 32, 64, stride_px=model.card.stride_px)
    gpu = Device("cuda", None, 16 * 1024**2, "GPU")
    scorer = Scorer(source, model, grid, gpu, make_runner=_Gpu)
    before = scorer.batch_size
    warnings = [event.message for event in scorer.compute(grid.bounds) if isinstance(event, Warned)]
    assert warnings == ["GPU failed (CUDA error: unspecified launch failure). Starting again on the CPU."]
    assert not scorer.store.missing(grid.bounds)
    assert scorer.batch_size == resolve_device("cpu").batch_px // grid.read_px**2 < before


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), OutOfMemoryError),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"), OutOfMemoryError),
        (RuntimeError("GET was unable to find an engine to execute this computation"), OutOfMemoryError),
        (RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate`"), OutOfMemoryError),
        (NotImplementedError("The operator is not implemented for the MPS device."), DeviceError),
        (FloatingPointError("scores are no numbers"), DeviceError),
    ],
)
def test_what_a_gpu_raises_is_told_apart(error: Exception, kind: type[Exception]) -> None:
    with pytest.raises(kind), _using(Device("mps", None, 1, "GPU"), "too many"):
        raise error
    if not isinstance(error, torch.OutOfMemoryError) and kind is DeviceError:
        with pytest.raises(type(error)), _using(Device("cpu", None, 1, "CPU"), "too many"):
            raise error
