"""Read a label image as it is; ``images`` opens intensities and refuses 32-bit labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_mouse_seg.errors import DamagedImageError, UnsupportedImageError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


def read_labels(path: Path) -> NDArray[np.integer[Any]]:
    """Return the labels in a TIFF, PNG, NumPy or OME-Zarr file; axes of length 1 are dropped.

    Raises
    ------
    DamagedImageError
        If the file cannot be decoded.
    UnsupportedImageError
        If it does not hold one integer a pixel.
    """
    try:
        labels = _without_single_axes(_read(path))
    except UnsupportedImageError:
        raise
    except Exception as error:  # decoders raise errors of many types on damaged files
        raise DamagedImageError(f"{path} cannot be read ({error}); copy it again.") from error
    if labels.dtype.kind not in "iub" or labels.ndim not in (2, 3) or (labels.ndim == 3 and labels.shape[-1] in (3, 4)):
        raise UnsupportedImageError(
            f"{path} holds {labels.dtype} of shape {labels.shape}, which is no label image; "
            "give one integer a pixel, 0 for background."
        )
    return labels


def _without_single_axes(labels: NDArray[Any]) -> NDArray[Any]:
    """Drop leading axes of length 1, and one of channels; an image may be a single pixel wide."""
    while labels.ndim > 2 and labels.shape[0] == 1:
        labels = labels[0]
    return labels[..., 0] if labels.ndim > 2 and labels.shape[-1] == 1 else labels


def _read(path: Path) -> NDArray[Any]:
    import numpy as np

    suffix = path.suffix.lower()
    if suffix == ".zarr":
        return _read_zarr(path)
    if suffix == ".npy":
        array: NDArray[Any] = np.load(path, allow_pickle=False)
        return array
    if suffix == ".png":
        return _read_png(path)
    from tifffile import TiffFile

    with TiffFile(path) as file:
        return file.series[0].asarray()


def _read_png(path: Path) -> NDArray[Any]:
    """Pillow, because it leaves the numbers of a palette as they are; whole slides are not too large here."""
    import numpy as np
    from PIL import Image

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        return np.asarray(Image.open(path))
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _read_zarr(path: Path) -> NDArray[Any]:
    """Finest level of an OME-Zarr, or a plain zarr array."""
    import numpy as np
    import zarr

    node: Any = zarr.open(str(path), mode="r")  # Any: a group or an array
    if isinstance(node, zarr.Group):
        attributes: Any = dict(node.attrs)
        multiscales = attributes.get("ome", attributes).get("multiscales")
        if not multiscales:
            raise UnsupportedImageError(
                f"{path} is a zarr group that names no image; give an OME-Zarr or the array in it."
            )
        node = node[multiscales[0]["datasets"][0]["path"]]
    return np.asarray(node[...])
