"""Outputs appear whole or not at all."""

import errno

import pytest

from napari_mouse_seg._atomic import replacing
from napari_mouse_seg.errors import ExportError


def test_target_appears_only_at_the_end(tmp_path):
    target = tmp_path / "new folder" / "a.txt"
    with replacing(target) as temporary:
        temporary.write_text("done")
        assert not target.exists()
    assert target.read_text() == "done"
    assert list(target.parent.iterdir()) == [target]


def test_existing_output_is_kept_unless_overwriting(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(ExportError, match=r"exists already.*--overwrite"), replacing(target):
        pytest.fail("the block must not run")
    with replacing(target, overwrite=True) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "new"


def test_failure_leaves_the_old_output_and_no_rubbish(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(UnicodeEncodeError), replacing(target, overwrite=True) as temporary:
        temporary.write_text("half µ", encoding="ascii")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_folder_is_replaced_whole(tmp_path):
    target = tmp_path / "a.ome.zarr"
    target.mkdir()
    (target / "stale").touch()
    with replacing(target, overwrite=True) as temporary:
        temporary.mkdir()
        (temporary / "fresh").touch()
    assert [entry.name for entry in target.iterdir()] == ["fresh"]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "disk of .* is full"), (errno.EACCES, "no permission"), (errno.EIO, "check the folder")],
)
def test_disk_errors_are_told_in_words(tmp_path, code, words):
    with pytest.raises(ExportError, match=words), replacing(tmp_path / "a.txt"):
        raise OSError(code, "from the disk")


def test_a_file_in_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="is not a folder"), replacing(tmp_path / "file" / "a.txt"):
        pytest.fail("the block must not run")
