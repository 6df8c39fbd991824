"""What ``mouse-seg segment`` refuses before any work."""

import os
import subprocess
import sys
from errno import EACCES
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_mouse_seg.cli import main
from napari_mouse_seg.cli._segment import check_output

SIZES = (("--scale", "0.5"), ("--object-diameter-px", "20"), ("--measure-objects",))


@pytest.mark.parametrize(("one", "other"), list(combinations(SIZES, 2)))
def test_only_one_option_sets_the_scale(one, other, tmp_path, capsys):
    assert main(["segment", "a.tif", "--output", str(tmp_path / "out"), *one, *other]) == 2
    assert f"{one[0]} and {other[0]} each set the scale; give only one" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_demo_takes_one_option_for_the_scale_too(tmp_path, capsys):
    assert main(["demo", "--output", str(tmp_path / "out"), *SIZES[0], *SIZES[1]]) == 2
    assert "give only one" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["segment", "a.tif"], ["demo"]])
def test_an_output_folder_that_is_a_file_is_told_before_the_work(tmp_path, capsys, monkeypatch, command):
    (tmp_path / "out").touch()
    monkeypatch.setattr("napari_mouse_seg.networks.find_model", pytest.fail)
    assert main([*command, "--output", str(tmp_path / "out")]) == 1
    assert "out cannot be made (File exists); choose another." in capsys.readouterr().err


def test_a_name_that_no_disk_takes_is_told_in_words(tmp_path, capsys):
    assert main(["segment", str(tmp_path / f"{'a' * 300}.tif"), "--output", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert "name is too long to name results after it (300 bytes" in error
    assert "nexpected" not in error


def test_an_output_folder_that_takes_no_files_is_told_before_the_work(tmp_path, capsys, monkeypatch):
    open_file = os.open

    def refuse(path, *arguments):
        if Path(path).parent == tmp_path:
            raise PermissionError(EACCES, "Permission denied")
        return open_file(path, *arguments)

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr("napari_mouse_seg.networks.find_model", pytest.fail)
    assert main(["segment", "a.tif", "--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"Error: The output folder {tmp_path} cannot be written to (Permission denied); choose another.\n"
    )


def test_an_error_names_its_file_once_and_libraries_say_nothing(tmp_path):
    path = tmp_path / "cut.tif"
    tifffile.imwrite(path, np.zeros((64, 64), np.uint8))
    content = bytearray(path.read_bytes())
    content[4:8] = (10**9).to_bytes(4, "little")
    path.write_bytes(content)
    code = "import sys; from napari_mouse_seg.cli import main; raise SystemExit(main(sys.argv[1:]))"
    ran = subprocess.run(
        [sys.executable, "-c", code, "segment", str(path), "--output", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"Error: {path} ")
    assert ran.stderr.count("\n") == 1


def test_trying_an_output_folder_leaves_nothing_in_it(tmp_path):
    check_output(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
