"""Tiles are taken up only for the same image, model and options, and nothing is lost to a forgotten option."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from helpers.models import write_random_model
from helpers.scenes import cell_image
from napari_mouse_seg.errors import ExportError
from napari_mouse_seg.events import Finished, Started, TileDone, Warned
from napari_mouse_seg.images import from_arrays, open_image
from napari_mouse_seg.inference import holding
from napari_mouse_seg.pipeline import Part, ScoreCache, SegmentJob, resolve, segment
from napari_mouse_seg.plans import InstancesPlan, SegmentPlan

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.events import Event
    from napari_mouse_seg.networks import Model

SHAPE = (150, 170)
PLAN = SegmentPlan(core_px=64, device="cpu", batch_size=2, instances=InstancesPlan(min_area_px=1, split_depth=0.1))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_random_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(autouse=True)
def _every_run_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_mouse_seg.pipeline._part.WORTH_KEEPING_PASSES", 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    tifffile.imwrite(
        tmp_path / "cells.tif", np.stack([cell_image(SHAPE), cell_image(SHAPE, 1)]), metadata={"axes": "CYX"}
    )
    return tmp_path / "cells.tif"


def run(job: SegmentJob, part: Path | None, stop_after: int | None = None) -> list[Event]:
    events = []
    with closing(ScoreCache(job, part)) as cache, closing(segment(job, cache)) as steps:
        for event in steps:
            events.append(event)
            if isinstance(event, TileDone) and event.stage == "scores" and event.done == stop_after:
                break
    return events


def stages(events: list[Event]) -> list[str]:
    return [event.stage for event in events if isinstance(event, Started)]


def why(events: list[Event]) -> str:
    return " ".join(event.message for event in events if isinstance(event, Warned))


@pytest.fixture
def part(model: Model, path: Path, tmp_path: Path) -> Path:
    """Four tiles of nine."""
    folder = Part.beside(tmp_path, "cells").folder
    assert folder.name == "cells.mouse-seg-part"
    run(resolve(open_image(path), model, PLAN), folder, stop_after=4)
    return folder


def test_labels_of_a_run_taken_up_equal_those_of_one_that_was_not_cut_off(model: Model, path: Path, part: Path) -> None:
    job = resolve(open_image(path), model, PLAN)
    straight, resumed = run(job, None), run(job, part)
    assert stages(straight) == ["statistics", "scores", "instances"]
    assert stages(resumed) == ["kept", "scores", "instances"]
    assert Started("scores", 5) in resumed
    assert isinstance(straight[-1], Finished)
    assert isinstance(resumed[-1], Finished)
    assert straight[-1].result.n_objects > 10
    np.testing.assert_array_equal(resumed[-1].result.labels, straight[-1].result.labels)
    assert resumed[-1].result.warnings == straight[-1].result.warnings


def test_thresholds_may_change_between_the_two_runs(model: Model, path: Path, part: Path) -> None:
    other = PLAN.replace(instances=InstancesPlan(min_area_px=40))
    assert stages(run(resolve(open_image(path), model, other), part)) == ["kept", "scores", "instances"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"channel": 1}, "series, channel or plane"),
        ({"scale": 0.9}, "scale"),
        ({"polarity": "dark"}, "polarity or intensities"),
        ({"core_px": 96}, "tile"),
        ({"halo_px": 80}, "tile"),
        ({"batch_size": 3}, "tile"),
    ],
)
def test_tiles_of_other_options_are_not_taken_up(
    model: Model, path: Path, part: Path, change: dict[str, object], name: str
) -> None:
    events = run(resolve(open_image(path), model, PLAN.replace(**change)), part, stop_after=1)
    assert "kept" not in stages(events)
    assert f"of another {name}" in why(events)


def test_tiles_of_another_model_are_not_taken_up(path: Path, part: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = write_random_model(tmp_path / "other", seed=1)
    assert "of another model," in why(run(resolve(open_image(path), other, PLAN), part, stop_after=1))


@pytest.mark.parametrize("keeps_time", [True, False])
def test_tiles_of_an_image_that_was_changed_are_not_taken_up(
    model: Model, path: Path, part: Path, *, keeps_time: bool
) -> None:
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= keeps_time  # Either the content changes or the time.
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + (not keeps_time)))
    assert "of another image," in why(run(resolve(open_image(path), model, PLAN), part, stop_after=1))


def test_an_image_that_was_moved_is_the_same_image(model: Model, path: Path, part: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    moved = path.rename(tmp_path / "elsewhere" / "cells.tif")
    assert "kept" in stages(run(resolve(open_image(moved), model, PLAN), part, stop_after=1))


def test_tiles_of_another_version_are_not_taken_up(
    model: Model, path: Path, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_mouse_seg.export.versions", lambda: {"napari-mouse-seg": "99"})
    events = run(resolve(open_image(path), model, PLAN), part, stop_after=1)
    assert "of another version of the software" in why(events)


def test_an_image_from_memory_keeps_nothing(model: Model, tmp_path: Path) -> None:
    job = resolve(from_arrays([cell_image(SHAPE)], axes="YX", name="cells"), model, PLAN)
    with pytest.raises(ExportError, match="does not come from a file"):
        run(job, tmp_path / "part")


def test_a_short_run_keeps_nothing(model: Model, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    job = resolve(open_image(path), model, PLAN)
    assert isinstance(run(job, tmp_path / "part")[-1], Finished)
    run(job, tmp_path / "part", stop_after=4)
    assert not (tmp_path / "part").exists()


def test_what_a_run_left_is_not_lost_to_a_forgotten_option(part: Path) -> None:
    with pytest.raises(ExportError, match="add --resume to go on with them, or --overwrite to start again"):
        Part(part).check(resume=False, overwrite=False)
    Part(part).check(resume=True, overwrite=True)
    assert part.exists()
    Part(part).check(resume=False, overwrite=True)
    assert not part.exists()
    Part(part).check(resume=False, overwrite=False)


def test_a_run_that_still_goes_on_is_left_alone(model: Model, path: Path, part: Path) -> None:
    job = resolve(open_image(path), model, PLAN)
    with closing(ScoreCache(job, part)) as cache:
        cache.scorer(job)
        for resume, overwrite in ((True, False), (False, True), (False, False)):
            with pytest.raises(ExportError, match="Another process is working on the same image"):
                Part(part).check(resume=resume, overwrite=overwrite)
        Part(part).remove()
        assert (part / "tiles").exists()


def test_only_files_that_the_killed_run_was_writing_count_as_its_own(part: Path, tmp_path: Path) -> None:
    mine, precious = tmp_path / "cells.json", tmp_path / "cells.csv"
    assert not Part(part).began_outputs([mine])
    Part(part).note_outputs([mine])
    assert Part(part).began_outputs([mine, precious])
    precious.write_text("somebody's")
    assert not Part(part).began_outputs([mine, precious])


def test_what_a_short_run_was_writing_is_known_and_is_no_work_to_lose(tmp_path: Path) -> None:
    part, mine = Part.beside(tmp_path / "out", "cells"), tmp_path / "out" / "cells.tif"
    part.note_outputs([mine])
    mine.touch()
    part.check(resume=True, overwrite=False)
    assert part.began_outputs([mine])
    part.check(resume=False, overwrite=False)
    assert not part.folder.exists()


def test_two_runs_do_not_write_their_results_at_a_time(tmp_path: Path) -> None:
    part, order = Part.beside(tmp_path / "out", "cells"), []
    is_in, may_end = threading.Event(), threading.Event()

    def write_first() -> None:
        with part.writing():
            is_in.set()
            may_end.wait(20)
            order.append("first")

    def write_second() -> None:
        with part.writing():
            order.append("second")

    threads = [threading.Thread(target=write_first), threading.Thread(target=write_second)]
    threads[0].start()
    assert is_in.wait(20)
    threads[1].start()
    threads[1].join(0.5)
    assert threads[1].is_alive()
    may_end.set()
    for thread in threads:
        thread.join(20)
    assert order == ["first", "second"]
    assert not part.folder.exists()


def test_who_waits_too_long_for_another_run_is_told(tmp_path: Path) -> None:
    with (
        holding(tmp_path / "part"),
        pytest.raises(ExportError, match="Another process is working on the same image"),
        holding(tmp_path / "part", wait_s=0.3),
    ):
        pass


def test_a_folder_that_cannot_be_made_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError), holding(tmp_path / "file" / "part"):
        pass
