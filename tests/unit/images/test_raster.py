"""PNG and JPEG files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from tests.helpers.pyramids import pattern, smooth

from napari_mouse_seg.errors import DamagedImageError, ImageError, UnsupportedImageError
from napari_mouse_seg.images import open_image

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_png_gives_exact_pixels_without_alpha(tmp_path: Path, samples: int, dtype: str):
    pixels = pattern((50, 40, samples), dtype)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels))
    image = open_image(tmp_path / "a.png")
    expected = pixels[..., 0] if samples < 3 else pixels[..., :3]
    assert (image.axes, image.dtype) == ("YX" if samples < 3 else "YXS", dtype)
    np.testing.assert_array_equal(image.levels[0][...], expected)


def test_a_palette_png_is_rgb(tmp_path: Path):
    colours = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)[np.indices((8, 8)).sum(0) % 2]
    Image.fromarray(colours).quantize(4).save(tmp_path / "a.png")
    np.testing.assert_array_equal(open_image(tmp_path / "a.png").levels[0][...], colours)


def test_a_bilevel_png_is_grey(tmp_path: Path):
    pixels = pattern((9, 13), "bool")
    Image.fromarray(pixels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(open_image(tmp_path / "a.png").levels[0][...] > 0, pixels)


@pytest.mark.parametrize("samples", [0, 3])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_gives_nearly_the_pixels(tmp_path: Path, samples: int, progressive: bool):
    pixels = smooth((120, 90), samples=samples)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=95, progressive=progressive)
    image = open_image(tmp_path / "a.jpg")
    assert image.shape == (120, 90)
    assert np.abs(image.levels[0][...].astype(int) - pixels).mean() < 4


def test_cmyk_jpeg_is_refused(tmp_path: Path):
    Image.new("CMYK", (8, 8)).save(tmp_path / "a.jpg")
    with pytest.raises(UnsupportedImageError, match="JPEG of 4 colour components; save it as RGB"):
        open_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_every_truncation_is_an_image_error(tmp_path: Path, suffix: str):
    Image.fromarray(smooth((64, 64))).save(tmp_path / f"a.{suffix}")
    data = (tmp_path / f"a.{suffix}").read_bytes()
    for length in range(0, len(data) - 16, 7):  # without its last 12 bytes a PNG still has all pixels
        (tmp_path / "cut").write_bytes(data[:length])
        with pytest.raises(ImageError, match="cut"):
            open_image(tmp_path / "cut").levels[0][...]


def test_a_png_too_large_to_decode_is_refused_before_decoding(tmp_path: Path):
    data = bytearray(imagecodecs.png_encode(pattern((8, 8))))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(UnsupportedImageError, match=r"takes 3\.4 GiB once decoded.*convert it to a tiled"):
        open_image(tmp_path / "a.png")


def test_a_header_that_lies_is_an_image_error(tmp_path: Path):
    data = bytearray(imagecodecs.png_encode(pattern((8, 8))))
    data[20:24] = (9).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(DamagedImageError, match=r"a\.png"):
        open_image(tmp_path / "a.png").levels[0][...]


def test_what_is_forgotten_is_decoded_again(tmp_path: Path):
    pixels = pattern((50, 40))
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels))
    image = open_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image.levels[0][...], pixels)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels + 1))
    np.testing.assert_array_equal(image.levels[0][...], pixels)
    image.forget()
    np.testing.assert_array_equal(image.levels[0][...], pixels + 1)
