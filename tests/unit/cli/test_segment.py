"""What ``mouse-seg segment`` refuses before any work."""

from errno import EACCES
from itertools import combinations

import pytest

from napari_mouse_seg.cli import main

SIZES = (("--scale", "0.5"), ("--object-diameter-px", "20"), ("--measure-objects",))


@pytest.mark.parametrize(("one", "other"), list(combinations(SIZES, 2)))
def test_only_one_option_sets_the_scale(one, other, tmp_path, capsys):
    assert main(["segment", "a.tif", "--output", str(tmp_path / "out"), *one, *other]) == 2
    assert f"{one[0]} and {other[0]} each set the scale; give only one" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_demo_takes_one_option_for_the_scale_too(tmp_path, capsys):
    assert main(["demo", "--output", str(tmp_path / "out"), *SIZES[0], *SIZES[1]]) == 2
    assert "give only one" in capsys.readouterr().err


def test_an_output_folder_that_takes_no_files_is_told_before_the_work(tmp_path, capsys, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    monkeypatch.setattr("napari_mouse_seg.networks.find_model", pytest.fail)
    assert main(["segment", "a.tif", "--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"Error: The output folder {tmp_path} cannot be written to (Permission denied); choose another.\n"
    )
