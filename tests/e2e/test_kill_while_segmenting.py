"""A command that is killed in the middle of an image goes on there, and ends with the labels it would have had."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from helpers.models import write_random_model
from helpers.scenes import cell_image
from napari_mouse_seg.cli import main
from napari_mouse_seg.export import read_record

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of Unix")]

TESTS = Path(__file__).parent.parent
LONG = "napari_mouse_seg.pipeline._part.WORTH_KEEPING_PASSES"

# Killed from inside, so that it is known where: in a frame of the n-th pass, or while it writes the results.
KILLED = """
import os, signal, sys
import napari_mouse_seg.pipeline._part as part
import napari_mouse_seg._atomic as atomic
from napari_mouse_seg.cli import main
from napari_mouse_seg.inference._frames import FrameFile

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

where, count = sys.argv[1], int(sys.argv[2])
if where != "results of a short run":
    part.WORTH_KEEPING_PASSES = 0
append, write, move = FrameFile.append, FrameFile._write, atomic._move
passes = moves = 0

def counted(self, kind, parts):
    global passes
    passes += kind == b"TILE"
    append(self, kind, parts)
    if where == "between" and passes == count:
        kill()

def half(self, part):
    write(self, part[: len(part) // 2] if passes == count and where == "within" else part)
    if passes == count and where == "within" and len(part) > 1000:
        kill()

def moved(temporary, path):
    global moves
    move(temporary, path)
    moves += 1
    if where.startswith("results") and moves == count:
        kill()

FrameFile.append, FrameFile._write, atomic._move = counted, half, moved
sys.exit(main(sys.argv[3:]))
"""


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("input")
    write_random_model(folder)
    tifffile.imwrite(folder / "cells.tif", cell_image((300, 330)))
    options = ("--core-px", "64", "--batch-size", "2", "--device", "cpu", "--min-area-px", "1", "--csv")
    return ["segment", str(folder / "cells.tif"), "--model", str(folder / "random.safetensors"), *options]


@pytest.fixture(scope="module")
def straight(command: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a run that was not cut off."""
    out = tmp_path_factory.mktemp("straight")
    assert main([*command, "--output", str(out)]) == 0
    assert read_record(out / "cells.json").n_objects > 20
    return out


def kill(where: str, count: int, command: list[str], out: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(TESTS), "PYTHONWARNINGS": "ignore"}
    arguments = [sys.executable, "-c", KILLED, where, str(count), *command, "--output", str(out)]
    ended = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert (out / "cells.mouse-seg-part").is_dir()
    assert not (out / "cells.json").exists()


@pytest.mark.parametrize(("where", "count", "left"), [("between", 5, 25), ("within", 5, 26)])
def test_a_killed_command_goes_on_at_the_tile_where_it_was(
    where: str,
    count: int,
    left: int,
    command: list[str],
    straight: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(LONG, 0)
    kill(where, count, command, tmp_path)
    capsys.readouterr()
    assert main([*command, "--output", str(tmp_path)]) == 1
    assert "add --resume to go on" in capsys.readouterr().err
    assert main([*command, "--output", str(tmp_path), "--resume"]) == 0
    told = capsys.readouterr().out
    assert "going on where an earlier run was cut off" in told
    assert f"{left} tiles are left" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells.csv", "cells.json", "cells.tif"]
    assert (tmp_path / "cells.csv").read_bytes() == (straight / "cells.csv").read_bytes()
    np.testing.assert_array_equal(
        tifffile.imread(tmp_path / "cells.tif"), tifffile.imread(straight / "cells.tif"), strict=True
    )


@pytest.mark.parametrize("where", ["results", "results of a short run"])
def test_a_command_killed_while_it_wrote_results_writes_them_again(
    where: str,
    command: list[str],
    straight: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if where == "results":
        monkeypatch.setattr(LONG, 0)
    kill(where, 1, command, tmp_path)
    assert (tmp_path / "cells.tif").exists()
    assert main([*command, "--output", str(tmp_path), "--resume"]) == 0
    assert "tiles are left" not in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells.csv", "cells.json", "cells.tif"]
    assert (tmp_path / "cells.csv").read_bytes() == (straight / "cells.csv").read_bytes()


def test_an_interrupted_command_says_that_the_finished_tiles_are_kept(
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LONG, 0)
    with monkeypatch.context() as patch:
        patch.setattr("napari_mouse_seg.instances.decode_blocks", interrupted)
        assert main([*command, "--output", str(tmp_path)]) == 130
    assert "the tiles that are done are in" in capsys.readouterr().err
    assert main([*command, "--output", str(tmp_path), "--overwrite"]) == 0
    assert not (tmp_path / "cells.mouse-seg-part").exists()
    assert "going on" not in capsys.readouterr().out
