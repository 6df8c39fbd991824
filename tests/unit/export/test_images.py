"""Label images on disk: OME-TIFF and OME-Zarr."""

import numpy as np
import pytest
import tifffile
import zarr

from napari_mouse_seg.errors import ExportError, UnsupportedImageError
from napari_mouse_seg.export import FORMATS, LABEL_FORMATS, LabelImage, at_image_size, write_ome_zarr, write_tiff


def read_levels(path):
    """All levels, read by the libraries of the formats."""
    if path.is_dir():
        group = zarr.open_group(str(path), mode="r")
        return [group[entry["path"]][:] for entry in group.attrs["ome"]["multiscales"][0]["datasets"]]
    with tifffile.TiffFile(path) as file:
        return [level.asarray() for level in file.series[0].levels]


def read_pixel_size_um(path):
    """Pixel size as the format states it, or None."""
    if path.is_dir():
        multiscale = zarr.open_group(str(path), mode="r").attrs["ome"]["multiscales"][0]
        known = all(axis.get("unit") == "micrometer" for axis in multiscale["axes"])
        return tuple(multiscale["datasets"][0]["coordinateTransformations"][0]["scale"]) if known else None
    with tifffile.TiffFile(path) as file:
        pixels = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
    if "PhysicalSizeX" not in pixels:
        return None
    assert pixels["PhysicalSizeXUnit"] == "µm"
    return pixels["PhysicalSizeY"], pixels["PhysicalSizeX"]


@pytest.mark.parametrize("name", LABEL_FORMATS)
def test_labels_come_back_as_they_were(name, large, tmp_path):
    path = FORMATS[name].path(tmp_path, "field")
    FORMATS[name].write(path, LabelImage(large, (0.25, 0.5), "field"))
    finest = read_levels(path)[0]
    assert finest.dtype == np.uint32
    assert read_pixel_size_um(path) == pytest.approx((0.25, 0.5))
    np.testing.assert_array_equal(finest, large)


@pytest.mark.parametrize("name", LABEL_FORMATS)
def test_coarse_levels_hold_ids_not_means(name, large, tmp_path):
    path = FORMATS[name].path(tmp_path, "field")
    FORMATS[name].write(path, LabelImage(large))
    levels = read_levels(path)
    assert [level.shape for level in levels] == [(1100, 1300), (550, 650), (275, 325)]
    for level in levels[1:]:
        assert set(np.unique(level)) == {0, 5, 2**32 - 1}
    # A pixel of the third level shows the pixel next to the centre of its 4 x 4 block.
    np.testing.assert_array_equal(levels[2], large[2::4, 2::4])


@pytest.mark.parametrize("name", LABEL_FORMATS)
def test_unknown_pixel_size_stays_unknown(name, labels, tmp_path):
    path = FORMATS[name].path(tmp_path, "field")
    FORMATS[name].write(path, LabelImage(labels))
    assert read_pixel_size_um(path) is None


@pytest.mark.parametrize("name", LABEL_FORMATS)
def test_lazy_labels_are_never_read_whole(name, tmp_path):
    class Counting:
        shape, dtype, most = (5000, 6000), np.dtype(np.uint32), 0

        def __getitem__(self, index):
            shape = [len(range(*part.indices(length))) for part, length in zip(index, self.shape, strict=True)]
            self.most = max(self.most, shape[0] * shape[1])
            return np.ones(shape, np.uint32)

    source = Counting()
    FORMATS[name].write(FORMATS[name].path(tmp_path, "field"), LabelImage(source))
    assert 0 < source.most <= 2048 * 2048


def test_scaled_labels_are_written_at_the_image_size(labels, tmp_path):
    write_tiff(tmp_path / "a.tif", LabelImage(at_image_size(labels, (2.0, 2.0), (80, 100))))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), labels.repeat(2, 0).repeat(2, 1))


def test_tiff_is_tiled_compressed_ome(large, tmp_path):
    write_tiff(tmp_path / "a.tif", LabelImage(large, (0.5, 0.5)))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        page = file.pages[0]
        assert file.is_ome
        assert (page.tilelength, page.tilewidth) == (512, 512)
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
    assert (tmp_path / "a.tif").stat().st_size < large.nbytes / 100


def test_ome_zarr_levels_lie_over_each_other(large, tmp_path):
    write_ome_zarr(tmp_path / "a.ome.zarr", LabelImage(large, (0.5, 0.5)))
    group = zarr.open_group(str(tmp_path / "a.ome.zarr"), mode="r")
    ome = group.attrs["ome"]
    assert ome["version"] == "0.5"
    assert "image-label" in ome
    assert [axis["unit"] for axis in ome["multiscales"][0]["axes"]] == ["micrometer"] * 2
    scale, shift = ome["multiscales"][0]["datasets"][2]["coordinateTransformations"]
    assert scale["scale"] == [2.0, 2.0]
    # Centre of a block of four pixels: 1.5 pixels from the first pixel's centre.
    assert shift["translation"] == [0.75, 0.75]


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_overwrites_silently(name, image, tmp_path):
    path = FORMATS[name].path(tmp_path, "field")
    FORMATS[name].write(path, image)
    with pytest.raises(ExportError, match="exists already"):
        FORMATS[name].write(path, image)
    FORMATS[name].write(path, image, overwrite=True)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_an_image_without_objects(name, plane, tmp_path):
    path = FORMATS[name].path(tmp_path, "field")
    FORMATS[name].write(path, LabelImage(np.zeros((40, 50), np.uint32), None, "field", plane))
    assert path.exists()


def test_labels_of_another_size_than_the_image_are_refused(plane):
    with pytest.raises(UnsupportedImageError, match=r"20 x 25 px, but their image is 40 x 50 px"):
        LabelImage(np.zeros((20, 25), np.uint32), plane=plane)


def test_float_labels_are_refused():
    with pytest.raises(UnsupportedImageError, match="must be 2-D integers"):
        LabelImage(np.zeros((4, 4)))
