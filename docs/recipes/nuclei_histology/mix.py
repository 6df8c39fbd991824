"""Second stage of the histology-nuclei model: fluorescence images among the others, as they are and stained.

    python docs/recipes/nuclei_histology/bundle.py runs/histology/checkpoint.pt FIRST
    python docs/recipes/nuclei_histology/mix.py --data ../shared/data --work runs/mixed --start FIRST

FIRST is the model file of the first stage. A quarter of the patches are of fluorescence, grey in all three channels and
stretched as this model does, bright on dark as it sees its own images once they are turned round. Another quarter are
the same images as a stain would show them, with tissue drawn between the nuclei: grey ones alone teach that whatever
stands out is a nucleus, and the model then outlines pink fibres on slides.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from nuclei_data import fluorescence_files, read_grey
from nuclei_training import run
from train import ARCHITECTURE, INTENSITY, PLAN, load_images

from napari_mouse_seg.images import intensity_range, stretch
from napari_mouse_seg.training import TrainingImage, prepare_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_mouse_seg.plans import TrainingPlan

MIXED = PLAN.replace(steps=2000, learning_rate=1.5e-3, seed=4)
BRIGHT = INTENSITY.replace(polarity="bright")
# Optical densities of red, green and blue, from and to, around those of Ruifrok and Johnston (2001).
HAEMATOXYLIN = ((0.55, 0.60, 0.25), (0.75, 0.80, 0.40))
EOSIN = ((0.05, 0.80, 0.10), (0.30, 1.00, 0.60))


def load_mixed(data: Path, plan: TrainingPlan) -> list[TrainingImage]:
    """Read and encode the histology training images, and fluorescence as two groups more: grey and stained."""
    rng = np.random.default_rng(plan.seed)
    images = load_images(data, plan)
    for _, image_path, labels_path in fluorescence_files(data):
        grey = read_grey(image_path)
        stretched = stretch(grey, intensity_range(grey, BRIGHT), BRIGHT)
        labels = tifffile.imread(labels_path).astype(np.int32)
        images.append(prepare_image(np.stack([stretched] * 3), labels, plan, "grey"))
        pixels = stain(stretched, labels, rng)
        images.append(
            prepare_image(stretch(pixels, intensity_range(pixels, INTENSITY), INTENSITY), labels, plan, "stained")
        )
    return images


def stain(stretched: NDArray[np.float32], labels: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return (3, Y, X) pixels: nuclei (Y, X) in haematoxylin, between them fibres and gaps in eosin."""
    nuclei = rng.uniform(0.7, 1.8) * np.clip(stretched, 0, 1.5) ** rng.uniform(0.6, 1.2)
    # Between nuclei fluorescence is dark; tissue takes up some haematoxylin there.
    nuclei = nuclei + rng.uniform(0, 0.4) * (1 + 0.5 * texture(stretched.shape, rng))
    tissue = texture(stretched.shape, rng) + 0.5 * texture(stretched.shape, rng)
    gaps = rng.uniform(-1.2, 0.3)
    fibres = 1 / (1 + np.exp(-(tissue - gaps) * rng.uniform(2, 8)))
    fibres = fibres * (1 + 0.4 * texture(stretched.shape, rng)) * rng.uniform(0.2, 1.1)
    inside = ndimage.gaussian_filter((labels > 0).astype(np.float32), 1)
    fibres = np.clip(fibres, 0, None) * (1 - rng.uniform(0.3, 0.9) * inside)
    absorbed = sum(
        density * rng.uniform(*colours)[:, None, None] for density, colours in ((nuclei, HAEMATOXYLIN), (fibres, EOSIN))
    )
    light = rng.uniform(225, 255) * np.exp(-absorbed) + rng.normal(0, rng.uniform(0, 4), absorbed.shape)
    return np.clip(light, 0, 255).astype(np.uint8)


def texture(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return noise (Y, X) of mean 0 and deviation 1, of a random grain, longer in one direction as fibres are."""
    side = int(np.hypot(*shape)) + 1
    grain = rng.uniform(1.5, 10)
    noise = ndimage.gaussian_filter(rng.standard_normal((side, side)), (grain, grain * rng.uniform(1, 6)))
    turned = ndimage.rotate(noise, rng.uniform(0, 180), reshape=False, order=1, mode="reflect")
    y, x = ((side - size) // 2 for size in shape)
    turned = turned[y : y + shape[0], x : x + shape[1]]
    return (turned - turned.mean()) / turned.std()


if __name__ == "__main__":
    run(__doc__, MIXED, ARCHITECTURE, INTENSITY, load_mixed)
