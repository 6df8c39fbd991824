"""Models on a stained slide without annotation: how much of what they outline cannot be a nucleus by its colour.

    python benchmarks/slide.py [--model NAME|FILE ...] [--pictures DIR]

Data: ``wsi/cmu_small_region.svs`` (2220 x 2967 px, haematoxylin and eosin). Optical densities tell its colours apart
without a truth: eosin hardly absorbs red, haematoxylin absorbs red about as much as green. Printed of each model: its
objects, how many of them are mostly pink or empty, the share of all outlined pixels that is, and how much of what is
dark blue (nuclei beyond doubt, a small part of all) is outlined. Little of the former and much of the latter is good.
With ``--pictures`` outlines over three places are written there.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile
from _data import data_dir
from scipy import ndimage
from skimage.io import imsave
from skimage.segmentation import mark_boundaries

from napari_mouse_seg import find_model, open_image, segment
from napari_mouse_seg.networks import RGB_MODEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLACES = ((1500, 1000), (1900, 900), (700, 1500))
"""First row and column of the pictures: epithelium, loose tissue, thick tissue."""
SIDE = 400
EMPTY, PINK, DARK = 0.35, 0.25, 0.9
"""Below in all three colours together; above in green; above in red. All optical densities."""
EOSIN_RATIO, HAEMATOXYLIN_RATIO = 0.5, 0.75
"""Of red to green: at most, at least."""


def colours(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where (Y, X, 3) pixels are pink or empty, and where they are dark blue."""
    density = ndimage.gaussian_filter(-np.log((pixels.astype(np.float32) + 1) / 256), (1, 1, 0))
    red, green = density[..., 0], density[..., 1]
    ratio = red / np.maximum(green, 1e-3)
    no_nucleus = (density.sum(-1) < EMPTY) | ((green > PINK) & (ratio < EOSIN_RATIO))
    return no_nucleus, ndimage.binary_opening((red > DARK) & (ratio > HAEMATOXYLIN_RATIO), iterations=2)


def main() -> None:
    """Print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", default=[RGB_MODEL])
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()
    path = data_dir() / "wsi" / "cmu_small_region.svs"
    pixels = tifffile.imread(path)
    no_nucleus, nucleus = colours(pixels)
    print(
        "| model | objects | mostly pink or empty | of the outlined pixels | dark blue found |\n|---|---|---|---|---|"
    )
    for name in arguments.model:
        labels = np.asarray(segment(open_image(path), find_model(name)).labels)
        areas = np.bincount(labels.ravel())[1:]
        wrong = np.bincount(labels.ravel(), no_nucleus.ravel(), len(areas) + 1)[1:]
        mostly = (wrong > areas / 2).sum() / max(1, np.count_nonzero(areas))
        print(
            f"| {name} | {np.count_nonzero(areas)} | {mostly:.3f} | {wrong.sum() / max(1, areas.sum()):.3f} "
            f"| {(labels > 0)[nucleus].mean():.3f} |",
            flush=True,
        )
        if arguments.pictures is not None:
            arguments.pictures.mkdir(parents=True, exist_ok=True)
            corners = [np.s_[y : y + SIDE, x : x + SIDE] for y, x in PLACES]
            drawn = [mark_boundaries(pixels[at], labels[at], (0, 1, 0), mode="inner") for at in corners]
            imsave(arguments.pictures / f"{Path(name).stem}.png", (np.concatenate(drawn, 1) * 255).astype(np.uint8))


if __name__ == "__main__":
    main()
