"""TIFF files of every kind give back their pixels, axes and pixel size."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from tests.helpers.pyramids import halves, pattern, smooth, write_ome_set, write_pyramid_tiff

from napari_mouse_seg.errors import ImageNotFoundError, UnsupportedImageError
from napari_mouse_seg.images import intensity_range, open_image
from napari_mouse_seg.plans import IntensityPlan
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.images import MultiscaleImage

BOX = Box(37, 53, 149, 171)


def whole(image: MultiscaleImage, level: int = 0, **plane: int) -> np.ndarray:
    return image.plane(**plane).read(level, Box(0, 0, *image.level_shapes[level]))


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd", "packbits", "lzma", "png", "webp", "lerc"])
@pytest.mark.parametrize("tile", [None, (64, 64)])
def test_lossless_compression_gives_exact_pixels(tmp_path: Path, compression: str | None, tile: tuple[int, int] | None):
    pixels = pattern((201, 190, 3))
    options = {"compressionargs": {"lossless": True}} if compression == "webp" else {}
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression=compression, tile=tile, photometric="rgb", **options)
    image = open_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.plane().read(0, BOX), pixels[BOX.slices])
    np.testing.assert_array_equal(whole(image), pixels)


@pytest.mark.parametrize("compression", ["jpeg2000", "jpegxl"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_lossless_codecs_of_greyscale_give_exact_pixels(tmp_path: Path, compression: str, dtype: str):
    pixels = pattern((130, 150), dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression=compression, tile=(64, 64))
    np.testing.assert_array_equal(whole(open_image(tmp_path / "a.tif")), pixels)


@pytest.mark.parametrize("compression", ["jpeg", "jpegxr"])
@pytest.mark.parametrize("samples", [0, 3])
def test_lossy_compression_gives_nearly_the_pixels(tmp_path: Path, compression: str, samples: int):
    pixels = smooth((201, 190), samples=samples)
    photometric = "rgb" if samples else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression=compression, tile=(64, 64), photometric=photometric)
    found = whole(open_image(tmp_path / "a.tif")).astype(int)
    assert np.abs(found - pixels).mean() < 6


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64", "bool", "int8", "float16"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_dtypes_are_read_as_documented(tmp_path: Path, dtype: str, byteorder: str):
    pixels = pattern((70, 90), dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, byteorder=byteorder)
    image = open_image(tmp_path / "a.tif")
    expected = {"bool": "uint8", "int8": "int16", "float16": "float32", "float64": "float32"}.get(dtype, dtype)
    found = whole(image)
    assert (image.dtype, found.dtype, found.dtype.isnative) == (expected, expected, True)
    np.testing.assert_array_equal(found, pixels.astype(expected))


@pytest.mark.parametrize("dtype", ["uint32", "int32", "int64", "complex64"])
def test_other_dtypes_are_refused_by_name(tmp_path: Path, dtype: str):
    tifffile.imwrite(tmp_path / "labels.tif", np.zeros((16, 16), dtype))
    with pytest.raises(UnsupportedImageError, match=rf"labels\.tif holds {dtype} pixels.*convert it to uint8"):
        open_image(tmp_path / "labels.tif")


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint64", ">i4"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "tile": (64, 64)}], ids=["plain", "tiles"])
def test_labels_of_other_integers_are_opened_as_such(tmp_path: Path, dtype: str, options: dict[str, Any]):
    labels = np.random.default_rng(0).integers(0, 2**31, (150, 170)).astype(dtype)
    path = tmp_path / "labels.tif"
    tifffile.imwrite(path, labels, byteorder=labels.dtype.byteorder if dtype == ">i4" else None, **options)
    image = open_image(path, labels=True)
    assert image.holds_labels
    np.testing.assert_array_equal(whole(image), labels)
    with pytest.raises(UnsupportedImageError, match=rf"holds {np.dtype(dtype).name} pixels"):
        open_image(path)


@pytest.mark.parametrize(("dtype", "value"), [("int32", -1), ("int64", 2**32)])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=["plain", "strips"])
def test_labels_that_do_not_fit_are_told(tmp_path: Path, dtype: str, value: int, options: dict[str, Any]):
    labels = np.zeros((20, 30), dtype)
    labels[3, 4] = value
    tifffile.imwrite(tmp_path / "labels.tif", labels, **options)
    with pytest.raises(UnsupportedImageError, match=r"holds labels from .* number them anew"):
        whole(open_image(tmp_path / "labels.tif", labels=True))


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_labels_are_opened_where_they_are_asked_for(tmp_path: Path, byteorder: str):
    labels = np.random.default_rng(0).integers(0, 2**32, (2500, 2100), dtype=np.uint32)
    tifffile.imwrite(tmp_path / "labels.tif", labels, byteorder=byteorder, tile=(256, 256))
    image = open_image(tmp_path / "labels.tif", labels=True)
    assert image.holds_labels
    np.testing.assert_array_equal(whole(image), labels)
    np.testing.assert_array_equal(image.plane().read(1, Box(0, 0, 1250, 1050)), labels[::2, ::2])
    with pytest.raises(UnsupportedImageError, match="holds uint32 pixels"):
        open_image(tmp_path / "labels.tif")


def test_nan_survives_reading_and_is_left_out_of_the_statistics(tmp_path: Path):
    pixels = pattern((70, 90), "float32")
    pixels[5:9] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression="zlib", predictor=3)
    found = whole(open_image(tmp_path / "a.tif"))
    np.testing.assert_array_equal(found, pixels)
    limits = intensity_range(found, IntensityPlan(low_percentile=0, high_percentile=100))
    assert (limits.low, limits.high) == (np.nanmin(pixels), np.nanmax(pixels))


@pytest.mark.parametrize("options", [{}, {"planarconfig": "separate"}, {"compression": "zlib"}, {"tile": (64, 64)}])
def test_numbers_beyond_single_precision_become_infinite_without_a_warning(tmp_path: Path, options: dict[str, Any]):
    pixels = pattern((3, 70, 90), "float64")
    pixels[:, 5:9] = 1e300
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = open_image(tmp_path / "a.tif").levels[0][...]
    assert np.isinf(found[:, 5:9]).all()
    np.testing.assert_array_equal(found[:, 9:], pixels[:, 9:])


def test_predictor_and_odd_strips_are_undone(tmp_path: Path):
    pixels = pattern((101, 77), "uint16")
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression="zlib", predictor=True, rowsperstrip=7)
    np.testing.assert_array_equal(whole(open_image(tmp_path / "a.tif")), pixels)


def test_subifd_levels_of_an_odd_size_are_read_at_their_whole_scale(tmp_path: Path):
    levels = halves(pattern((201, 333), "uint16"), 3)
    image = open_image(write_pyramid_tiff(tmp_path / "a.ome.tif", levels, metadata={"axes": "YX"}))
    assert image.level_shapes == ((201, 333), (101, 167), (51, 84))
    assert image.level_scales[1] == (2, 2)
    for number, level in enumerate(levels):
        np.testing.assert_array_equal(whole(image, number), level)


def test_ome_pyramid_with_channels_and_planes(tmp_path: Path):
    levels = halves(pattern((3, 4, 150, 130), "uint16"), 2)
    metadata = {
        "axes": "CZYX",
        "PhysicalSizeX": 4.6,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 5.2,
        "PhysicalSizeYUnit": "nm",
        "PhysicalSizeZ": 0.05,
        "Channel": {"Name": ["DAPI", "GFP", "Actin"]},
    }
    image = open_image(write_pyramid_tiff(tmp_path / "a.ome.tif", levels, metadata=metadata, photometric="minisblack"))
    assert (image.axes, image.n_channels, image.n_z, image.n_t) == ("CZYX", 3, 4, 1)
    assert image.channel_names == ("DAPI", "GFP", "Actin")
    assert image.pixel_size_um == pytest.approx((0.0052, 0.0046))
    assert image.z_step_um == pytest.approx(0.05)
    np.testing.assert_array_equal(whole(image, 1, channel=2, z=3), levels[1][2, 3])
    np.testing.assert_array_equal(image.levels[0][1, :, 20:60:3, 5], levels[0][1, :, 20:60:3, 5])


def test_ome_tiff_of_several_files_is_one_image(tmp_path: Path):
    planes = write_ome_set(tmp_path)
    image = open_image(tmp_path / "c0.ome.tif")
    assert image.channel_names == ("DAPI", "GFP")
    assert image.sources == open_image(tmp_path / "c1.ome.tif").sources == (*sorted(tmp_path.iterdir()),)
    for channel, plane in enumerate(planes):
        np.testing.assert_array_equal(image.plane(channel=channel).read(0, Box(0, 0, 128, 160)), plane)


def test_ome_tiff_with_a_missing_companion_is_refused_by_its_name(tmp_path: Path):
    write_ome_set(tmp_path)
    (tmp_path / "c1.ome.tif").unlink()
    with pytest.raises(ImageNotFoundError, match=r"c1\.ome\.tif is missing beside it"):
        open_image(tmp_path / "c0.ome.tif")


def test_a_renamed_ome_tiff_is_not_taken_for_one_of_several(tmp_path: Path):
    planes = write_ome_set(tmp_path)
    (tmp_path / "c0.ome.tif").rename(tmp_path / "renamed.ome.tif")
    read = open_image(tmp_path / "renamed.ome.tif").plane(channel=0).read(0, Box(0, 0, 128, 160))
    np.testing.assert_array_equal(read, planes[0])


@pytest.mark.parametrize("name", ["original.ome.tif", "renamed.ome.tif"])
def test_a_renamed_ome_tiff_without_an_identifier_is_read_whole(tmp_path: Path, name: str):
    pixels = pattern((6, 30, 31), "uint16")
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="31" SizeY="30" '
        'SizeC="2" SizeZ="3" SizeT="1" PhysicalSizeX="0.5" PhysicalSizeXUnit="µm"><Channel ID="Channel:0:0" '
        'Name="DAPI"/><Channel ID="Channel:0:1" Name="GFP"/><TiffData IFD="0" PlaneCount="6">'
        '<UUID FileName="original.ome.tif">urn:uuid:1</UUID></TiffData></Pixels></Image></OME>'
    )
    tifffile.imwrite(tmp_path / name, pixels, description=xml.encode(), metadata=None, photometric="minisblack")
    image = open_image(tmp_path / name)
    assert (image.axes, image.channel_names, image.pixel_size_um) == ("CZYX", ("DAPI", "GFP"), (0.5, 0.5))
    np.testing.assert_array_equal(image.levels[0][...], pixels.reshape(2, 3, 30, 31))


def test_a_missing_companion_is_noticed_without_identifiers_too(tmp_path: Path):
    write_ome_set(tmp_path)
    for number in (0, 1):
        path = tmp_path / f"c{number}.ome.tif"
        tifffile.tiffcomment(path, tifffile.tiffcomment(path).replace(f' UUID="urn:uuid:{number}"', "").encode())
    assert open_image(tmp_path / "c1.ome.tif").n_channels == 2
    (tmp_path / "c0.ome.tif").unlink()
    with pytest.raises(ImageNotFoundError, match=r"c0\.ome\.tif is missing beside it"):
        open_image(tmp_path / "c1.ome.tif")


def test_imagej_hyperstack_in_micrometres(tmp_path: Path):
    pixels = pattern((2, 3, 4, 60, 50), "uint16")
    metadata = {"axes": "TZCYX", "unit": "\\u00B5m", "spacing": 1.5}
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, resolution=(1 / 0.25, 1 / 0.5), metadata=metadata)
    image = open_image(tmp_path / "a.tif")
    assert (image.axes, image.n_t, image.n_z, image.n_channels) == ("TZCYX", 2, 3, 4)
    assert image.pixel_size_um == pytest.approx((0.5, 0.25))
    assert image.z_step_um == pytest.approx(1.5)
    np.testing.assert_array_equal(whole(image, t=1, z=2, channel=3), pixels[1, 2, 3])


@pytest.mark.parametrize(
    ("per_unit", "unit", "expected_um"), [(300, "inch", None), (118, "cm", None), (50_800, "inch", 0.5), (20, "mm", 50)]
)
def test_imagej_units_of_a_printer_give_no_pixel_size(
    tmp_path: Path, per_unit: float, unit: str, expected_um: float | None
):
    metadata = {"axes": "ZYX", "unit": unit, "spacing": 1.0}
    tifffile.imwrite(tmp_path / "a.tif", pattern((2, 9, 9)), imagej=True, resolution=(per_unit,) * 2, metadata=metadata)
    image = open_image(tmp_path / "a.tif")
    if expected_um is None:
        assert image.pixel_size_um is image.z_step_um is None
    else:
        assert image.pixel_size_um == pytest.approx((expected_um, expected_um))


@pytest.mark.parametrize(
    ("resolution", "unit", "expected"),
    [(20_000, "CENTIMETER", 0.5), (2_000, "MILLIMETER", 0.5), (50_800, "INCH", 0.5), (300, "INCH", None)],
)
def test_resolution_tags_give_the_pixel_size_unless_they_are_a_printers(
    tmp_path: Path, resolution: float, unit: str, expected: float | None
):
    tifffile.imwrite(tmp_path / "a.tif", pattern((9, 9)), resolution=(resolution, resolution), resolutionunit=unit)
    found = open_image(tmp_path / "a.tif").pixel_size_um
    assert found is None if expected is None else found == pytest.approx((expected, expected))


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "lzw"])
def test_alpha_is_dropped(tmp_path: Path, planar: str, compression: str | None):
    pixels = pattern((4, 66, 50) if planar == "separate" else (66, 50, 4))
    tifffile.imwrite(
        tmp_path / "a.tif",
        pixels,
        photometric="rgb",
        planarconfig=planar,
        extrasamples=["unassalpha"],
        compression=compression,
    )
    image = open_image(tmp_path / "a.tif")
    rgb = np.moveaxis(pixels, 0, 2)[..., :3] if planar == "separate" else pixels[..., :3]
    assert (image.axes, image.is_rgb, image.n_channels, image.plane().n_channels) == ("YXS", True, 1, 3)
    np.testing.assert_array_equal(whole(image), rgb)


def test_grey_samples_are_channels(tmp_path: Path):
    pixels = pattern((66, 50, 5), "uint16")
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", planarconfig="contig", compression="zlib")
    image = open_image(tmp_path / "a.tif")
    assert (image.axes, image.n_channels) == ("CYX", 5)
    np.testing.assert_array_equal(whole(image, channel=4), pixels[..., 4])


@pytest.mark.parametrize(("n_pages", "axis"), [(3, "C"), (9, "Z")])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_pages_without_meaning_are_channels_if_few_else_planes(
    tmp_path: Path, n_pages: int, axis: str, compression: str | None
):
    pixels = pattern((n_pages, 30, 40))
    options = {"photometric": "minisblack", "metadata": None, "compression": compression}
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in pixels:
            writer.write(page, contiguous=False, **options)
    image = open_image(tmp_path / "a.tif")
    assert image.axes == f"{axis}YX"
    np.testing.assert_array_equal(image.levels[0][...], pixels)


def test_unknown_axes_are_refused_by_name(tmp_path: Path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 6, 7, 8), "uint8"), metadata={"axes": "HEYX"})
    with pytest.raises(UnsupportedImageError, match=r"a\.tif has the axes H 5 x E 6.*supported are T, C and Z"):
        open_image(tmp_path / "a.tif")


def test_cmyk_is_refused(tmp_path: Path):
    tifffile.imwrite(tmp_path / "a.tif", pattern((20, 20, 4)), photometric="separated")
    with pytest.raises(UnsupportedImageError, match=r"SEPARATED colours.*save it as RGB"):
        open_image(tmp_path / "a.tif")


def test_an_uncompressed_page_with_scattered_strips_is_read(tmp_path: Path):
    pixels = pattern((40, 32), "uint16")
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, rowsperstrip=10, metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tag = tiff.pages[0].tags["StripOffsets"]
        first, *others = tag.value
        data = path.read_bytes()
        with path.open("ab") as file:
            moved = file.tell()
            file.write(data[first : first + 640])
        tag.overwrite((moved, *others))
    with path.open("r+b") as file:
        file.seek(first)
        file.write(bytes(640))
    np.testing.assert_array_equal(whole(open_image(path)), pixels)


def test_the_largest_image_of_a_file_is_taken(tmp_path: Path):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as writer:
        writer.write(pattern((20, 30)), metadata={"axes": "YX", "PhysicalSizeX": 9.0})
        writer.write(pattern((200, 150)), metadata={"axes": "YX", "PhysicalSizeX": 0.7})
    image = open_image(tmp_path / "a.ome.tif")
    assert image.shape == (200, 150)
    assert image.pixel_size_um == pytest.approx((0.7, 0.7))


@pytest.mark.parametrize("same_size", [True, False])
def test_an_ome_image_without_pixels_in_the_file_is_passed_over(tmp_path: Path, same_size: bool):
    columns = 60 if same_size else 61
    absent = (
        '<Image ID="Image:9" Name="none"><Pixels ID="Pixels:9" DimensionOrder="XYCZT" Type="uint8" SizeY="50" '
        f'SizeX="{columns}" SizeC="1" SizeZ="1" SizeT="1" PhysicalSizeX="7" PhysicalSizeY="7">'
        '<Channel ID="Channel:9:0" Name="wrong"/><MetadataOnly/></Pixels></Image>'
    )
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as writer:
        for size in (0.25, 0.75):
            channel = {"Name": [f"{size} um"]}
            metadata = {"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeY": size, "Channel": channel}
            writer.write(pattern((50, 60)), metadata=metadata)
    xml = tifffile.tiffcomment(tmp_path / "a.ome.tif")
    tifffile.tiffcomment(tmp_path / "a.ome.tif", xml.replace("<Image ", absent + "<Image ", 1).encode())
    image = open_image(tmp_path / "a.ome.tif")
    assert image.pixel_size_um == pytest.approx((0.25, 0.25))
    assert image.channel_names == ("0.25 um",)


def test_a_pyramid_of_reduced_pages_is_one_image(tmp_path: Path):
    levels = [smooth((512, 400)), smooth((256, 200)), smooth((128, 100))]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for number, level in enumerate(levels):
            writer.write(level, tile=(64, 64), subfiletype=int(number > 0), metadata=None)
    image = open_image(tmp_path / "a.tif")
    assert image.level_shapes == ((512, 400), (256, 200), (128, 100))
    np.testing.assert_array_equal(whole(image, 2), levels[2])


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16"])
@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib"}, {"compression": "lzw", "tile": (64, 64)}, {"byteorder": ">"}]
)
def test_where_zero_is_white_values_are_turned_round(tmp_path: Path, dtype: str, options: dict[str, Any]):
    pixels = pattern((201, 190), dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite", software="scanner", **options)
    image = open_image(tmp_path / "a.tif")
    expected = {"bool": 1, "uint8": 255, "uint16": 65_535}[dtype] - pixels.astype(image.dtype)
    assert image.plane().read(0, BOX).dtype == image.dtype
    np.testing.assert_array_equal(image.plane().read(0, BOX), expected[BOX.slices])


@pytest.mark.parametrize("compression", ["raw", "group4", "tiff_lzw"])
def test_a_fax_has_black_letters_on_white(tmp_path: Path, compression: str):
    letters = Image.fromarray(pattern((64, 80)) % 3 > 0)
    letters.save(tmp_path / "a.tif", tiffinfo={262: 0}, compression=compression)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert tiff.pages[0].photometric == 0
    np.testing.assert_array_equal(whole(open_image(tmp_path / "a.tif")), np.asarray(Image.open(tmp_path / "a.tif")))


def test_fewer_bits_are_turned_round_within_them(tmp_path: Path):
    nibbles = pattern((10, 20)) % 16
    tifffile.imwrite(tmp_path / "a.tif", nibbles[:, ::2] << 4 | nibbles[:, 1::2], photometric="miniswhite")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        tiff.pages[0].tags["BitsPerSample"].overwrite(4)
        tiff.pages[0].tags["ImageWidth"].overwrite(20)
    np.testing.assert_array_equal(whole(open_image(tmp_path / "a.tif")), 15 - nibbles)


@pytest.mark.parametrize("dtype", ["int16", "float32", "uint32"])
def test_signed_and_real_numbers_and_labels_are_not_turned_round(tmp_path: Path, dtype: str):
    pixels = pattern((40, 50), dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    np.testing.assert_array_equal(whole(open_image(tmp_path / "a.tif", labels=True)), pixels)


def test_a_stack_where_zero_is_white_is_turned_round(tmp_path: Path):
    pixels = pattern((6, 50, 40))
    with tifffile.TiffWriter(tmp_path / "a.tif", imagej=True) as writer:
        writer.write(pixels, photometric="minisblack", truncate=True, metadata={"axes": "ZYX"})
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        tiff.pages[0].tags["PhotometricInterpretation"].overwrite(0)
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif").levels[0][...], 255 - pixels)


def hues() -> np.ndarray:
    """(3, 256) colours as in a TIFF: no two alike, in no order of brightness."""
    index = np.arange(256)
    return (np.stack([index * 7 % 256, index * 11 % 256, 255 - index]) * 257).astype(np.uint16)


def ramp(colour: tuple[int, int, int]) -> np.ndarray:
    """(3, 256) colours from black to one that is given in 8 bits."""
    return (np.outer(colour, np.arange(256)) * 257 // 255).astype(np.uint16)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("tile", [None, (64, 64)])
def test_a_palette_of_colours_is_looked_up(tmp_path: Path, compression: str | None, tile: tuple[int, int] | None):
    index, colours = pattern((201, 190)), hues()
    options = {"compression": compression, "tile": tile, "rowsperstrip": None if tile else 32}
    tifffile.imwrite(tmp_path / "a.tif", index, photometric="palette", colormap=colours, **options)
    image = open_image(tmp_path / "a.tif")
    expected = (colours >> 8).astype(np.uint8).T[index]
    assert (image.axes, image.dtype, image.plane().n_channels) == ("YXS", np.uint8, 3)
    np.testing.assert_array_equal(image.plane().read(0, BOX), expected[BOX.slices])
    np.testing.assert_array_equal(whole(image), expected)


def test_palettes_of_small_entries_many_colours_and_planes_are_looked_up(tmp_path: Path):
    colours = hues()
    tifffile.imwrite(tmp_path / "8.tif", pattern((20, 30)), photometric="palette", colormap=colours >> 8)
    np.testing.assert_array_equal(whole(open_image(tmp_path / "8.tif")), (colours >> 8).T[pattern((20, 30))])
    index, many = pattern((20, 30), "uint16"), np.roll(np.tile(colours, 256), 77, axis=1)
    tifffile.imwrite(tmp_path / "16.tif", index, photometric="palette", colormap=many)
    np.testing.assert_array_equal(whole(open_image(tmp_path / "16.tif")), (many >> 8).T[index])
    planes = pattern((9, 20, 30))
    tifffile.imwrite(tmp_path / "z.tif", planes, photometric="palette", colormap=colours)
    image = open_image(tmp_path / "z.tif")
    assert image.axes == "ZYXS"
    np.testing.assert_array_equal(whole(image, z=7), (colours >> 8).T[planes[7]])


@pytest.mark.parametrize("bits", [4, 8])
def test_a_palette_tiff_is_read_like_the_same_palette_png(tmp_path: Path, bits: int):
    picture = Image.fromarray(smooth((40, 50), samples=3)).quantize(2**bits)
    picture.save(tmp_path / "a.tif")
    picture.save(tmp_path / "a.png", bits=bits)
    np.testing.assert_array_equal(whole(open_image(tmp_path / "a.tif")), whole(open_image(tmp_path / "a.png")))


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 255, 0), (200, 90, 13), (0, 0, 0)])
def test_a_palette_of_one_hue_shows_intensities(tmp_path: Path, colour: tuple[int, int, int]):
    pixels = pattern((40, 50))
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="palette", colormap=ramp(colour))
    image = open_image(tmp_path / "a.tif")
    assert image.axes == "YX"
    np.testing.assert_array_equal(whole(image), pixels)


def test_an_inverted_grey_palette_is_looked_up(tmp_path: Path):
    pixels = pattern((40, 50))
    colours = ramp((255, 255, 255))[:, ::-1]
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="palette", colormap=colours)
    np.testing.assert_array_equal(whole(open_image(tmp_path / "a.tif"))[..., 1], 255 - pixels)


@pytest.mark.parametrize(("name", "options"), [("a.tif", {"imagej": True}), ("a.ome.tif", {"ome": True})])
def test_lookup_tables_of_imagej_and_ome_tiff_show_intensities(tmp_path: Path, name: str, options: dict[str, bool]):
    pixels = pattern((40, 50))
    tifffile.imwrite(tmp_path / name, pixels, photometric="palette", colormap=hues(), **options)
    image = open_image(tmp_path / name)
    assert image.axes == "YX"
    np.testing.assert_array_equal(whole(image), pixels)


def red_in_ycbcr() -> np.ndarray:
    """Pure red in full-range ITU-R BT.601."""
    return np.broadcast_to(np.array([76, 85, 255], np.uint8), (64, 64, 3)).copy()


@pytest.mark.parametrize(("compression", "colour"), [(33003, (255, 0, 0)), (33005, (76, 85, 255))])
def test_aperio_jpeg2000_is_converted_where_it_holds_ycbcr(tmp_path: Path, compression: int, colour: tuple[int, ...]):
    tifffile.imwrite(tmp_path / "a.tif", red_in_ycbcr(), compression=compression, photometric="rgb", tile=(64, 64))
    found = whole(open_image(tmp_path / "a.tif"))
    assert np.abs(found.astype(int) - colour).max() <= 3


def test_uncompressed_ycbcr_comes_out_as_rgb(tmp_path: Path):
    subsampling = (530, "H", 2, (1, 1), True)
    tifffile.imwrite(tmp_path / "a.tif", red_in_ycbcr(), photometric="ycbcr", extratags=[subsampling])
    assert np.abs(whole(open_image(tmp_path / "a.tif")).astype(int) - (255, 0, 0)).max() <= 2


def test_a_real_slide_scan_is_read(data_dir: Path):
    path = data_dir / "wsi" / "cmu_small_region.svs"
    image = open_image(path)
    assert (image.axes, image.shape, image.pixel_size_um) == ("YXS", (2967, 2220), (0.499, 0.499))
    box = Box(1000, 900, 1300, 1500)
    np.testing.assert_array_equal(image.plane().read(0, box), tifffile.imread(path, key=0)[box.slices])


def test_real_jpeg_xl_fields_are_read(data_dir: Path):
    paths = sorted((data_dir / "bbbc039" / "images").glob("*.tif"))[:2]
    assert paths
    for path in paths:
        image = open_image(path)
        assert (image.shape, image.dtype) == ((520, 696), np.uint16)
        np.testing.assert_array_equal(whole(image), tifffile.imread(path))


@pytest.mark.parametrize("order", ["<<", "<>"])
def test_files_of_one_image_that_differ_in_byte_order_are_refused(tmp_path, order):
    pixels = np.random.default_rng(0).integers(0, 60_000, (2, 50, 60)).astype(np.uint16)
    parts = "".join(
        f'<TiffData FirstC="{number}" IFD="0" PlaneCount="1">'
        f'<UUID FileName="m{number}.ome.tif">urn:uuid:{number}</UUID></TiffData>'
        for number in range(2)
    )
    for number in range(2):
        description = (
            f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="urn:uuid:{number}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" '
            f'SizeX="60" SizeY="50" SizeC="2" SizeZ="1" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
            f'<Channel ID="Channel:0:1" SamplesPerPixel="1"/>{parts}</Pixels></Image></OME>'
        )
        tifffile.imwrite(
            tmp_path / f"m{number}.ome.tif",
            pixels[number],
            description=description.encode(),
            metadata=None,
            byteorder=order[number],
        )
    if order == "<>":
        with pytest.raises(UnsupportedImageError, match="differ in byte order; export them again"):
            open_image(tmp_path / "m0.ome.tif")
    else:
        image = open_image(tmp_path / "m0.ome.tif")
        np.testing.assert_array_equal(image.plane(channel=1).read(0, Box(0, 0, 50, 60)), pixels[1])


@pytest.mark.parametrize("strip_rows", [16, 64])
@pytest.mark.parametrize("n_pages", [1, 3])
def test_plain_strips_that_were_never_written_are_zeros(tmp_path: Path, n_pages: int, strip_rows: int):
    pixels = np.full((n_pages, 64, 64), 7, np.uint16)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for page in pixels:
            tiff.write(page, contiguous=False, metadata=None, photometric="minisblack", rowsperstrip=strip_rows)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as tiff:
        for tag in ("StripOffsets", "StripByteCounts"):
            written = tiff.pages[-1].tags[tag]
            written.overwrite((0, *written.value[1:]))
    pixels[-1, :strip_rows] = 0
    image = open_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.levels[0][...].reshape(pixels.shape), pixels)
