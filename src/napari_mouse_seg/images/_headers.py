"""Size and sample type of PNG and JPEG streams from their headers alone."""

from __future__ import annotations

import struct
from dataclasses import dataclass

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"

_PNG_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_NO_LENGTH = {0x01, *range(0xD0, 0xD9)}
_NOT_A_FRAME = {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class RasterHeader:
    """Rows, columns, samples per pixel and bits per sample."""

    rows: int
    columns: int
    samples: int
    bits: int


def png_header(data: bytes) -> RasterHeader | None:
    """Return the header of a PNG stream; None if it is damaged. Palettes count as RGB."""
    if len(data) < 26 or data[12:16] != b"IHDR":
        return None
    columns, rows, bits, colour = struct.unpack(">IIBB", data[16:26])
    return RasterHeader(rows, columns, _PNG_SAMPLES[colour], bits) if colour in _PNG_SAMPLES else None


def jpeg_header(data: bytes) -> RasterHeader | None:
    """Return the header of a JPEG stream; None if it holds no frame header."""
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _NO_LENGTH:
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in _NOT_A_FRAME:
            bits, rows, columns, samples = struct.unpack(">BHHB", data[at + 4 : at + 10])
            return RasterHeader(rows, columns, samples, bits)
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
