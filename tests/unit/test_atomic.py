"""Outputs appear whole or not at all."""

import errno
import os
import shutil
import stat

import pytest

from napari_mouse_seg._atomic import explain, patiently, remove_unfinished, replacing
from napari_mouse_seg.errors import ExportError, ProjectError


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


def test_a_file_never_takes_a_folders_place(tmp_path):
    target = tmp_path / "a.json"
    target.mkdir()
    (target / "kept").touch()
    with (
        pytest.raises(ExportError, match=r"a\.json is a folder, and a file is to be written there"),
        replacing(target, overwrite=True) as temporary,
    ):
        temporary.touch()
    assert (target / "kept").exists()
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_never_takes_a_files_place(tmp_path):
    target = tmp_path / "a.ome.zarr"
    target.write_text("kept")
    with (
        pytest.raises(ExportError, match=r"a\.ome\.zarr is a file, and a folder is to be written there"),
        replacing(target, overwrite=True) as temporary,
    ):
        temporary.mkdir()
    assert target.read_text() == "kept"
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


def test_callers_name_the_error(tmp_path):
    with pytest.raises(ProjectError, match="is full"), replacing(tmp_path / "a.txt", error=ProjectError):
        raise OSError(errno.ENOSPC, "from the disk")


def test_a_folder_that_is_gone_is_told(tmp_path):
    with (
        pytest.raises(ExportError, match="no longer there; put it back"),
        replacing(tmp_path / "new" / "a.txt") as path,
    ):
        shutil.rmtree(path.parent)


@pytest.mark.parametrize("durable", [True, False])
def test_a_durable_file_is_on_the_disk_before_it_is_in_place(tmp_path, monkeypatch, durable):
    steps = []
    flush, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (steps.append("flush"), flush(handle)))
    monkeypatch.setattr(os, "replace", lambda *paths: (steps.append("replace"), replace(*paths)))
    with replacing(tmp_path / "a.txt", durable=durable) as temporary:
        temporary.write_text("done")
    assert steps[: steps.index("replace")] == (["flush"] if durable else [])
    assert (tmp_path / "a.txt").read_text() == "done"


def test_only_what_was_left_unfinished_is_removed(tmp_path):
    (tmp_path / ".00ff00ff.part.a.txt").touch()
    (tmp_path / ".00ff00ff.part.b.zarr").mkdir()
    (tmp_path / ".00ff00ff.part.b.zarr" / "chunk").touch()
    (tmp_path / "my.part.txt").touch()
    remove_unfinished(tmp_path)
    remove_unfinished(tmp_path / "absent")
    assert [path.name for path in tmp_path.iterdir()] == ["my.part.txt"]


def test_of_some_names_only_those_are_removed(tmp_path):
    (tmp_path / ".00ff00ff.part.a.txt").touch()
    (tmp_path / ".00ff00ff.part.b.txt").touch()
    remove_unfinished(tmp_path, {"a.txt"})
    assert [path.name for path in tmp_path.iterdir()] == [".00ff00ff.part.b.txt"]


@pytest.mark.parametrize(("refusals", "works"), [(0, True), (2, True), (3, False)])
def test_a_file_that_another_process_looks_at_is_waited_for(monkeypatch, refusals, works):
    monkeypatch.setattr("napari_mouse_seg._atomic._WAITS_S", (0.0, 0.0))
    left = [PermissionError("in use")] * refusals

    def act():
        if left:
            raise left.pop()
        return "done"

    if works:
        assert patiently(act) == "done"
    else:
        with pytest.raises(PermissionError):
            patiently(act)


def test_a_file_that_another_program_has_open_is_no_matter_of_permission(tmp_path):
    path = tmp_path / "a.csv"
    path.touch()
    error = PermissionError(errno.EACCES, "refused")
    assert "no permission" in explain(path, error)
    error.winerror = 32
    assert "open in another program" in explain(path, error)


def test_a_folder_that_cannot_be_flushed_does_not_undo_what_was_written(tmp_path, monkeypatch):
    flush = os.fsync

    def refuse_folders(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        flush(handle)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    with replacing(tmp_path / "a.txt", durable=True) as temporary:
        temporary.write_text("done")
    assert (tmp_path / "a.txt").read_text() == "done"


def test_a_replaced_folder_is_removed_only_where_something_took_its_place(tmp_path):
    kept, gone = tmp_path / ".0123abcd.old.a.zarr", tmp_path / ".0123abcd.old.b.zarr"
    for folder in (kept, gone, tmp_path / "b.zarr"):
        folder.mkdir()
    remove_unfinished(tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [kept.name, "b.zarr"]
