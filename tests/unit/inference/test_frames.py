from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_mouse_seg.inference._frames import FrameFile

CONTENTS = st.lists(st.binary(max_size=40), min_size=1, max_size=6)


def write(path: Path, contents: list[bytes]) -> None:
    file = FrameFile(path)
    for content in contents:
        file.append(b"TEST", [content[:3], content[3:]])
    file.close()


def read(path: Path) -> list[bytearray | None]:
    file = FrameFile(path)
    found = [file.read(frame) for frame in file.frames]
    file.close()
    return found


@given(CONTENTS, st.data())
def test_a_file_cut_anywhere_has_the_frames_before_the_cut(contents: list[bytes], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "frames")
        write(path, contents)
        assert read(path) == contents
        size = data.draw(st.integers(0, path.stat().st_size - 1))
        path.write_bytes(path.read_bytes()[:size])
        left = read(path)
        assert len(left) < len(contents)
        assert left == contents[: len(left)]
        # What is written next stands after the last whole frame.
        write(path, [b"next"])
        assert read(path) == [*left, b"next"]


@given(CONTENTS, st.data())
def test_a_wrong_byte_is_noticed_and_what_stands_before_it_is_right(contents: list[bytes], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "frames")
        write(path, contents)
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        file = FrameFile(path)
        found = [(frame.kind, file.read(frame)) for frame in file.frames]
        file.close()
        right = [(b"TEST", bytearray(content)) for content in contents]
        n_right = next((at for at, pair in enumerate(found) if pair not in right), len(found))
        assert found[:n_right] == right[:n_right]
        assert n_right < len(contents)


def test_nothing_of_a_frame_stays_where_the_disk_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "frames"
    write(path, [b"first"])
    file = FrameFile(path)
    write_one = file._write

    def refuse(part: memoryview) -> None:
        write_one(part[: len(part) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file, "_write", refuse)
    with pytest.raises(OSError, match="No space left"):
        file.append(b"TEST", [b"a long second one"])
    file.close()
    assert read(path) == [b"first"]
    write(path, [b"second"])
    assert read(path) == [b"first", b"second"]
