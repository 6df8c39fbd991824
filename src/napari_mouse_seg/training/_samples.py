"""Annotated images → random augmented patches.

A patch depends on the seed and its number alone, so an interrupted run draws the same patches again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from torch.utils.data import Dataset

from napari_mouse_seg.images import compress
from napari_mouse_seg.instances import encode_targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_mouse_seg.plans import AugmentationPlan, IntensityPlan, TrainingPlan

_REFERENCE_AREA_PX = 400.0
_KNOWN = 255
_TRIES = 4


@dataclass(frozen=True, slots=True)
class TrainingImage:
    """One annotated image, ready to be sampled.

    Attributes
    ----------
    stretched
        (C, Y, X) float16, stretched but not compressed.
    maps
        (7, Y, X) uint8: foreground, touching boundary, distance (all 0 to 255), the pixel weight times 16, and where
        the first three are known (255) or not (0). After an interpolation only 255 still counts as known.
    group
        Images are drawn evenly from groups, and evenly within one.
    """

    stretched: NDArray[np.float16]
    maps: NDArray[np.uint8]
    group: str


def prepare_image(
    stretched: NDArray[np.float32], labels: NDArray[Any], plan: TrainingPlan, group: str
) -> TrainingImage:
    """Encode one image's labels once.

    Parameters
    ----------
    stretched
        (C, Y, X) float32 from ``images.stretch``.
    labels
        (Y, X) integer instances, 0 is background.
    plan
        Boundary width and weights.
    group
        Sampling group, for instance the data set.
    """
    targets = encode_targets(labels, plan.boundary_half_width_px)
    return pack(stretched, targets, size_weight(labels, plan), np.ones(targets.shape, np.bool_), group)


def pack(
    stretched: NDArray[np.float32],
    targets: NDArray[np.float32],
    weight: NDArray[np.float32],
    known: NDArray[np.bool_],
    group: str,
) -> TrainingImage:
    """Put targets, weights (Y, X) and what is known, (3, Y, X) like the targets, into one array."""
    maps = np.concatenate([np.round(targets * 255), np.round(weight * 16)[None], known * 255.0])
    return TrainingImage(stretched.astype(np.float16), maps.astype(np.uint8), group)


def size_weight(labels: NDArray[Any], plan: TrainingPlan) -> NDArray[np.float32]:
    """Return (Y, X) weights from 1 up to the plan's for the pixels of small objects."""
    areas = np.bincount(labels.ravel()).astype(np.float32)
    areas[0] = _REFERENCE_AREA_PX
    per_object = np.clip(np.sqrt(_REFERENCE_AREA_PX / np.maximum(areas, 1)), 1, plan.small_object_weight)
    per_object[0] = 1
    # The weight reaches one pixel out, so that the outline of a small object counts too.
    weight: NDArray[np.float32] = ndimage.maximum_filter(per_object[labels], size=3)
    return weight


class PatchSampler(Dataset[tuple["NDArray[np.float32]", "NDArray[np.uint8]"]]):
    """Draws augmented patches by number.

    Parameters
    ----------
    images
        Annotated images; those of one group are drawn as often as they have known pixels.
    plan, intensity
        Patch size, seed and augmentation; compression applied after the augmentation.
    shares
        How much of all patches comes from a group; those not named share the rest evenly.
    """

    def __init__(
        self,
        images: list[TrainingImage],
        plan: TrainingPlan,
        intensity: IntensityPlan,
        shares: Mapping[str, float] | None = None,
    ) -> None:
        self._plan = plan
        self._intensity = intensity
        groups: dict[str, list[TrainingImage]] = {}
        for image in images:
            groups.setdefault(image.group, []).append(image)
        self._groups = [groups[name] for name in sorted(groups)]
        self._shares = [_known_shares(group) for group in self._groups]
        self._group_shares = _group_shares(sorted(groups), shares or {})

    def __len__(self) -> int:
        return self._plan.steps * self._plan.batch_size

    def __getitem__(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Return patch ``number``: (C, Y, X) float32 network input and (7, Y, X) uint8 maps."""
        rng = np.random.default_rng((self._plan.seed, number))
        even = self._group_shares is None
        chosen = rng.integers(len(self._groups)) if even else rng.choice(len(self._groups), p=self._group_shares)
        group, shares = self._groups[chosen], self._shares[chosen]
        image = group[rng.integers(len(group)) if shares is None else rng.choice(len(group), p=shares)]
        for _ in range(1 if shares is None else _TRIES):
            pixels, maps = _crop(image, self._plan.patch_px, self._plan.augmentation, rng)
            if (maps[4] == _KNOWN).any():
                break
        pixels = change_intensity(pixels, self._plan.augmentation, rng)
        return np.ascontiguousarray(compress(pixels, self._intensity)), np.ascontiguousarray(maps)


def _group_shares(names: list[str], wanted: Mapping[str, float]) -> list[float] | None:
    """Return one share a group; None if all are even."""
    named = {name: share for name, share in wanted.items() if name in names}
    others = len(names) - len(named)
    if not named or not others:
        return None
    return [named.get(name, (1 - sum(named.values())) / others) for name in names]


def _known_shares(images: list[TrainingImage]) -> NDArray[np.float64] | None:
    """Return how much of all known foreground each image holds; None if all of all of them is known."""
    known = np.array([float((image.maps[4] == _KNOWN).sum()) for image in images])
    whole = np.array([image.maps[4].size for image in images])
    return None if (known == whole).all() or known.sum() == 0 else known / known.sum()


def _crop(
    image: TrainingImage, size: int, plan: AugmentationPlan, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Cut a random square, zoomed, mirrored and turned by quarter turns; small images are mirrored at the edge."""
    scale = 1.0
    if rng.random() < plan.scale_probability:
        scale = float(2 ** rng.uniform(np.log2(plan.min_scale), np.log2(plan.max_scale)))
    need = max(2, round(size / scale))
    rows, columns = image.maps.shape[1:]
    top = int(rng.integers(max(1, rows - need + 1)))
    left = int(rng.integers(max(1, columns - need + 1)))
    box = np.s_[:, top : top + need, left : left + need]
    pixels = image.stretched[box].astype(np.float32)
    maps = image.maps[box]
    short = [(0, 0), (0, need - maps.shape[1]), (0, need - maps.shape[2])]
    if any(after for _, after in short):
        pixels, maps = np.pad(pixels, short, mode="symmetric"), np.pad(maps, short, mode="symmetric")
    if need != size:
        grid = (np.arange(size, dtype=np.float32) + 0.5) * (need / size) - 0.5
        pixels, maps = resample(pixels, grid), resample(maps, grid)
    turns, mirror = int(rng.integers(4)), bool(rng.integers(2))
    pixels, maps = np.rot90(pixels, turns, (1, 2)), np.rot90(maps, turns, (1, 2))
    return (pixels[:, :, ::-1], maps[:, :, ::-1]) if mirror else (pixels, maps)


def resample(stack: NDArray[Any], grid: NDArray[np.float32]) -> NDArray[Any]:
    """Sample (C, Y, X) linearly at ``grid`` in both directions; the dtype is kept."""
    first = np.floor(grid).astype(np.intp)
    part = (grid - first).astype(np.float32)
    low, high = np.clip(first, 0, stack.shape[1] - 1), np.clip(first + 1, 0, stack.shape[1] - 1)
    out = stack[:, low].astype(np.float32) * (1 - part)[:, None] + stack[:, high].astype(np.float32) * part[:, None]
    out = out[:, :, low] * (1 - part) + out[:, :, high] * part
    return np.round(out).astype(stack.dtype) if stack.dtype.kind == "u" else out


def change_intensity(
    pixels: NDArray[np.float32], plan: AugmentationPlan, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Change blur, gamma, gain, illumination, stain, offset and noise of a stretched (C, Y, X) patch at random."""
    if rng.random() < 0.3 and plan.max_blur_px > 0:
        sigma = rng.uniform(0, plan.max_blur_px)
        pixels = ndimage.gaussian_filter(pixels, (0, sigma, sigma), truncate=3)
    if rng.random() < 0.4:
        pixels = pixels ** np.float32(2 ** rng.uniform(-plan.gamma_log2, plan.gamma_log2))
    if rng.random() < 0.6:
        pixels = pixels * np.float32(2 ** rng.uniform(-plan.gain_log2, plan.gain_log2))
    if rng.random() < 0.3 and plan.gradient_log2 > 0:
        pixels = pixels * _illumination(pixels.shape[1:], rng.uniform(-1, 1, 2) * plan.gradient_log2)
    if len(pixels) == 3 and rng.random() < 0.6:
        pixels = pixels * np.exp2(rng.uniform(-plan.stain_log2, plan.stain_log2, (3, 1, 1))).astype(np.float32)
    if rng.random() < 0.3:
        pixels = pixels + np.float32(rng.uniform(-plan.max_offset, plan.max_offset))
    if rng.random() < 0.4:
        sigma = rng.uniform(0, plan.max_noise)
        pixels = pixels + np.float32(sigma) * rng.standard_normal(pixels.shape, dtype=np.float32)
    return np.clip(pixels, 0, None)


def _illumination(shape: tuple[int, ...], octaves: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return (Y, X) factors, 1 in the middle, that change by ``octaves`` from edge to edge along Y and along X."""
    y, x = (
        np.exp2(slope * np.linspace(-0.5, 0.5, size)).astype(np.float32)
        for slope, size in zip(octaves, shape, strict=True)
    )
    factors: NDArray[np.float32] = y[:, None] * x
    return factors
