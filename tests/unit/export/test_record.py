"""Run records."""

import hashlib
import json

import pytest
from pydantic import ValidationError

from napari_mouse_seg.errors import ExportError
from napari_mouse_seg.export import RunRecord, describe_input, read_record, versions, write_record


@pytest.fixture
def record(tmp_path):
    source = tmp_path / "in.tif"
    source.write_bytes(b"pixels")
    return RunRecord(
        input=describe_input(source, (40, 50), (0.5, 0.5)),
        model={"name": "m", "sha256": "ab", "path": "m.safetensors"},
        plan={"channel": 0},
        device="cpu",
        network_shape_px=(40, 50),
        pixel_scale=(1.0, 1.0),
        n_objects=3,
        timings_s={"scores": 1.5},
        outputs={"tiff": "in.tif"},
        versions=versions(),
        command=("mouse-seg", "segment", "in.tif"),
    )


def test_record_survives_the_file(record, tmp_path):
    write_record(tmp_path / "a.json", record)
    assert read_record(tmp_path / "a.json") == record
    assert json.loads((tmp_path / "a.json").read_text())["format_version"] == 1


def test_input_is_hashed(record):
    assert record.input.sha256 == hashlib.sha256(b"pixels").hexdigest()
    assert record.input.size_bytes == 6


def test_folder_hash_changes_with_its_content(tmp_path):
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "zarr.json").write_text("{}")
    before = describe_input(tmp_path / "z")
    (tmp_path / "z" / "0").write_text("chunk")
    assert describe_input(tmp_path / "z").sha256 != before.sha256
    assert describe_input(tmp_path / "z").size_bytes == before.size_bytes + 5


def test_versions_of_what_decides_the_result_are_listed():
    assert {"python", "torch", "numpy", "napari-mouse-seg"} <= set(versions())


def test_unknown_fields_are_refused(record):
    with pytest.raises(ValidationError, match="extra"):
        RunRecord.model_validate(record.model_dump() | {"extra": 1})


def test_newer_format_is_refused_in_words(record, tmp_path):
    text = record.model_dump_json().replace('"format_version":1', '"format_version":2')
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ExportError, match="newer version"):
        read_record(tmp_path / "a.json")
