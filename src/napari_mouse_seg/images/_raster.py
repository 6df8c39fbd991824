"""PNG and JPEG files.

Neither can be decoded in part, so the first read decodes the file once and keeps the pixels. Pillow was rejected:
it reads 16-bit colour as 8-bit and warns about sizes that are usual here.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mouse_seg.errors import DamagedImageError, UnsupportedImageError
from napari_mouse_seg.images._build import build_image
from napari_mouse_seg.images._headers import PNG_MAGIC, RasterHeader, jpeg_header, png_header
from napari_mouse_seg.images._image import Calibration, MultiscaleImage
from napari_mouse_seg.images._levels import Level

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_mouse_seg.tiling import Box

MAX_RASTER_BYTES = 2 * 2**30
_HEADER_BYTES = 2**20
_JPEG_END = b"\xff\xd9"


class RasterLevel(Level):
    """The one level of a PNG or JPEG, decoded whole at the first read.

    Parameters
    ----------
    path
        The file.
    header
        As read from its first bytes.
    """

    def __init__(self, path: Path, header: RasterHeader) -> None:
        is_rgb = header.samples >= 3
        shape = (header.rows, header.columns, *((3,) if is_rgb else ()))
        dtype = np.uint16 if header.bits > 8 else np.uint8
        super().__init__(shape, dtype, is_rgb=is_rgb, name=str(path), chunks=(header.rows, header.columns))
        self._path = path
        self._lock = Lock()
        self._pixels: NDArray[Any] | None = None

    def forget(self) -> None:
        """Give back the memory of the pixels."""
        with self._lock:
            self._pixels = None

    def _read(self, leading: tuple[int, ...], box: Box) -> NDArray[Any]:
        with self._lock:
            if self._pixels is None:
                self._pixels = self._decode()
            pixels = self._pixels
        return pixels[box.slices]

    def _decode(self) -> NDArray[Any]:
        """All pixels, without alpha."""
        import imagecodecs

        data = self._path.read_bytes()
        if data.startswith(PNG_MAGIC):
            pixels = imagecodecs.png_decode(data)
        else:
            if _JPEG_END not in data[-_HEADER_BYTES:]:
                raise DamagedImageError(f"{self.name} is truncated: it ends within the image; copy it again.")
            pixels = imagecodecs.jpeg_decode(data)
        if pixels.ndim == 3:
            pixels = pixels[..., :3] if self.is_rgb else pixels[..., 0]
        if pixels.shape != self.shape:
            raise DamagedImageError(
                f"{self.name} decodes to the shape {pixels.shape}, but its header says {self.shape}; export it again."
            )
        return np.asarray(pixels)


def open_raster(path: Path) -> MultiscaleImage:
    """Open a PNG or JPEG; only its header is read.

    Raises
    ------
    DamagedImageError
        If the header is incomplete.
    UnsupportedImageError
        If the file is a CMYK JPEG, or too large to decode in one piece.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    header = png_header(head) if head.startswith(PNG_MAGIC) else jpeg_header(head)
    if header is None:
        raise DamagedImageError(f"{path} has an incomplete header; copy or export it again.")
    if not head.startswith(PNG_MAGIC) and header.samples not in (1, 3):
        raise UnsupportedImageError(
            f"{path} is a JPEG of {header.samples} colour components; save it as RGB or greyscale."
        )
    n_bytes = header.rows * header.columns * header.samples * (2 if header.bits > 8 else 1)
    if n_bytes > MAX_RASTER_BYTES:
        raise UnsupportedImageError(
            f"{path} takes {n_bytes / 2**30:.1f} GiB once decoded, and a PNG or JPEG cannot be decoded in part; "
            "convert it to a tiled pyramidal TIFF or OME-Zarr."
        )
    level = RasterLevel(path, header)
    return build_image(path.name, path, "YXS" if level.is_rgb else "YX", (level,), Calibration())
