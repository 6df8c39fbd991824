"""Drawn scenes with known answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_mouse_seg.tiling import SCORE_ONE

if TYPE_CHECKING:
    from numpy.typing import NDArray


def draw_discs(shape: tuple[int, int], centres: list[tuple[float, float]], radius: float) -> NDArray[np.int32]:
    """Draw numbered discs; where they meet, a pixel goes to the nearest centre."""
    labels = np.zeros(shape, np.int32)
    nearest = np.full(shape, np.inf)
    for number, (y, x) in enumerate(centres, start=1):
        ends = np.clip([(y - radius, x - radius), (y + radius + 1, x + radius + 1)], 0, shape).astype(int)
        window = tuple(slice(*each) for each in ends.T)
        rows, columns = np.mgrid[window]
        distances = np.hypot(rows - y, columns - x)
        closer = (distances <= radius) & (distances < nearest[window])
        labels[window][closer] = number
        nearest[window][closer] = distances[closer]
    return labels


def random_scores(seed: int, shape: tuple[int, int], steps: int = 8) -> NDArray[np.uint16]:
    """Smooth random (3, Y, X) scores with many ties, so that the order of a flood would show."""
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.random((3, *shape)), (0, 2, 2))
    noise = (noise - noise.min()) / np.ptp(noise)
    return (np.round(noise * steps) / steps * SCORE_ONE).astype(np.uint16)


def cell_image(shape: tuple[int, int], seed: int = 0) -> NDArray[np.uint16]:
    """Bright discs with blur and noise on a dark background, uint16."""
    rng = np.random.default_rng(seed)
    count = max(4, shape[0] * shape[1] // 1600)
    image = np.full(shape, 200.0)
    for y, x in rng.uniform((0, 0), shape, (count, 2)):
        top, left = max(0, int(y) - 9), max(0, int(x) - 9)
        rows, columns = np.mgrid[top : min(shape[0], top + 19), left : min(shape[1], left + 19)]
        image[rows, columns] += (np.hypot(rows - y, columns - x) <= 8) * rng.uniform(800, 3000)
    return (ndimage.gaussian_filter(image, 1) + rng.normal(0, 20, shape)).clip(0, 65535).astype(np.uint16)


def stained_section(shape: tuple[int, int] = (90, 110), seed: int = 0) -> NDArray[np.uint8]:
    """Draw a dark spot on a bright ground, (Y, X, 3)."""
    pixels = np.random.default_rng(seed).integers(215, 245, (*shape, 1)) + np.zeros(3, int)
    pixels[shape[0] * 2 // 9 : shape[0] * 4 // 9, shape[1] * 3 // 11 : shape[1] * 6 // 11] = (120, 70, 150)
    return pixels.astype(np.uint8)
