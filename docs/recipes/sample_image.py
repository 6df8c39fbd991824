"""Make the bundled sample: one BBBC039 validation field as a small pyramidal OME-TIFF.

    python docs/recipes/sample_image.py --data ../shared/data

BBBC039 is CC0. Its files carry no pixel size; 0.65 µm is nominal (20x objective, 6.45 µm camera pixels binned 2 x 2).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tifffile

STEM = "IXMtest_D19_s6_w1EB1F11AE-4FB6-481F-94D9-40246870F0CB"
PIXEL_SIZE_UM = 0.65


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with bbbc039/")
    parser.add_argument("--output", type=Path, default=Path("src/napari_mouse_seg/samples/u2os_nuclei.ome.tif"))
    arguments = parser.parse_args()
    field = tifffile.imread(arguments.data / "bbbc039" / "images" / f"{STEM}.tif")
    rows, columns = field.shape
    half = field.reshape(rows // 2, 2, columns // 2, 2).mean((1, 3)).round().astype(np.uint16)
    metadata = {
        "axes": "YX",
        "PhysicalSizeX": PIXEL_SIZE_UM,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": PIXEL_SIZE_UM,
        "PhysicalSizeYUnit": "µm",
        "Channel": {"Name": ["Hoechst"]},
        "Name": "U2OS nuclei",
    }
    options = {"tile": (256, 256), "compression": "zlib", "predictor": True, "photometric": "minisblack"}
    with tifffile.TiffWriter(arguments.output, ome=True) as writer:
        writer.write(field, subifds=1, metadata=metadata, **options)
        writer.write(half, subfiletype=1, **options)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
