"""Annotated images → random augmented patches.

A patch depends on the seed and its number alone, so an interrupted run draws the same patches again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch.utils.data import Dataset

from napari_mouse_seg.images import compress
from napari_mouse_seg.instances import encode
from napari_mouse_seg.plans import DistanceTargets
from napari_mouse_seg.training._augment import change_intensity
from napari_mouse_seg.training._pixel_weights import pixel_weight

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from napari_mouse_seg.plans import AugmentationPlan, IntensityPlan, ObjectTargets, TrainingPlan

DEFAULT_TARGETS = DistanceTargets()
"""How objects are learnt where nothing else is asked for."""

_KNOWN = 255
_WEIGHT_ONE = 16
_TRIES = 4


@dataclass(frozen=True, slots=True)
class MapRules:
    """How the maps of one kind of target are read and zoomed.

    Attributes
    ----------
    known
        (M, Y, X) maps → (Y, X), where anything is known.
    resample
        Samples (M, Y, X) maps at a grid of positions in both directions.
    """

    known: Callable[[NDArray[np.uint8]], NDArray[np.bool_]]
    resample: Callable[[NDArray[np.uint8], NDArray[np.float32]], NDArray[np.uint8]]


def resample(stack: NDArray[Any], grid: NDArray[np.float32]) -> NDArray[Any]:
    """Sample (C, Y, X) linearly at ``grid`` in both directions; the dtype is kept."""
    first = np.floor(grid).astype(np.intp)
    part = (grid - first).astype(np.float32)
    low, high = np.clip(first, 0, stack.shape[1] - 1), np.clip(first + 1, 0, stack.shape[1] - 1)
    out = stack[:, low].astype(np.float32) * (1 - part)[:, None] + stack[:, high].astype(np.float32) * part[:, None]
    out = out[:, :, low] * (1 - part) + out[:, :, high] * part
    return np.round(out).astype(stack.dtype) if stack.dtype.kind == "u" else out


def _is_foreground_known(maps: NDArray[np.uint8]) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = maps[4] == _KNOWN
    return known


OBJECT_MAPS = MapRules(_is_foreground_known, resample)
"""Of (7, Y, X) uint8 maps: the three targets of the scheme (0 to 255), the pixel weight times 16, and where each of the
three is known (255) or not (0). After an interpolation only 255 still counts as known."""


@dataclass(frozen=True, slots=True)
class TrainingImage:
    """One annotated image, ready to be sampled.

    Attributes
    ----------
    stretched
        (C, Y, X) float16, stretched but not compressed.
    maps
        (M, Y, X) uint8, what the loss compares with.
    group
        Images are drawn evenly from groups, and evenly within one.
    rules
        What the maps are.
    centres
        Of each class the flat positions of its pixels; every other crop then holds one of a class drawn evenly.
    """

    stretched: NDArray[np.float16]
    maps: NDArray[np.uint8]
    group: str
    rules: MapRules = OBJECT_MAPS
    centres: tuple[NDArray[np.int32], ...] = ()

    @property
    def known(self) -> NDArray[np.bool_]:
        """(Y, X), where anything is known."""
        return self.rules.known(self.maps)


def prepare_image(
    stretched: NDArray[np.float32],
    labels: NDArray[Any],
    plan: TrainingPlan,
    group: str,
    targets: ObjectTargets = DEFAULT_TARGETS,
) -> TrainingImage:
    """Encode one image's labels once.

    Parameters
    ----------
    stretched
        (C, Y, X) float32 from ``images.stretch``.
    labels
        (Y, X) integer instances, 0 is background.
    plan
        Weights.
    group
        Sampling group, for instance the data set.
    targets
        Scheme.
    """
    maps = encode(labels, targets)
    return pack(stretched, maps, pixel_weight(labels, plan), np.ones(maps.shape, np.bool_), group)


def pack(
    stretched: NDArray[np.float32],
    targets: NDArray[np.float32],
    weight: NDArray[np.float32],
    known: NDArray[np.bool_],
    group: str,
) -> TrainingImage:
    """Put targets, weights (Y, X) and what is known, (3, Y, X) like the targets, into one array.

    A byte holds weights of up to almost 16; larger ones are cut.
    """
    bytes_of_weight = np.minimum(np.round(weight * _WEIGHT_ONE), _KNOWN)
    maps = np.concatenate([np.round(targets * 255), bytes_of_weight[None], known * 255.0])
    return TrainingImage(stretched.astype(np.float16), maps.astype(np.uint8), group)


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
        self._groups = [_Group(groups[name]) for name in sorted(groups)]
        self._group_shares = _group_shares(sorted(groups), shares or {})

    def __len__(self) -> int:
        return self._plan.steps * self._plan.batch_size

    def __getitem__(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Return patch ``number``: (C, Y, X) float32 network input and (M, Y, X) uint8 maps."""
        rng = np.random.default_rng((self._plan.seed, number))
        even = self._group_shares is None
        chosen = rng.integers(len(self._groups)) if even else rng.choice(len(self._groups), p=self._group_shares)
        group = self._groups[chosen]
        image, centre = group.draw(rng)
        for _ in range(1 if group.is_all_known else _TRIES):
            pixels, maps = _crop(image, self._plan.patch_px, self._plan.augmentation, rng, centre)
            if image.rules.known(maps).any():
                break
        pixels = change_intensity(pixels, self._plan.augmentation, rng)
        return np.ascontiguousarray(compress(pixels, self._intensity)), np.ascontiguousarray(maps)


class _Group:
    """Images drawn as often as they have known pixels; of classes, every other time one drawn evenly."""

    def __init__(self, images: list[TrainingImage]) -> None:
        self._images = images
        self._shares = _known_shares(images)
        number = max(len(image.centres) for image in images)
        counts = np.array(
            [[len(part) for part in image.centres] + [0] * (number - len(image.centres)) for image in images]
        )
        self._class_counts = counts[:, counts.any(0)] if number else counts
        self._classes = np.flatnonzero(counts.any(0)) if number else np.empty(0, np.intp)

    @property
    def is_all_known(self) -> bool:
        return self._shares is None

    def draw(self, rng: np.random.Generator) -> tuple[TrainingImage, int | None]:
        """Return an image, and the flat position of a pixel to show, if any."""
        if len(self._classes) and rng.integers(2):
            column = rng.integers(len(self._classes))
            counts = self._class_counts[:, column]
            image = self._images[rng.choice(len(counts), p=counts / counts.sum())]
            return image, int(rng.choice(image.centres[self._classes[column]]))
        chosen = (
            rng.integers(len(self._images)) if self._shares is None else rng.choice(len(self._images), p=self._shares)
        )
        return self._images[chosen], None


def _group_shares(names: list[str], wanted: Mapping[str, float]) -> list[float] | None:
    """Return one share a group; None if all are even."""
    named = {name: share for name, share in wanted.items() if name in names}
    others = len(names) - len(named)
    if not named or not others:
        return None
    return [named.get(name, (1 - sum(named.values())) / others) for name in names]


def _known_shares(images: list[TrainingImage]) -> NDArray[np.float64] | None:
    """Return how much of all that is known each image holds; None if all of all of them is known."""
    known = np.array([float(image.known.sum()) for image in images])
    whole = np.array([image.maps[0].size for image in images])
    return None if (known == whole).all() or known.sum() == 0 else known / known.sum()


def _crop(
    image: TrainingImage, size: int, plan: AugmentationPlan, rng: np.random.Generator, centre: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Cut a random square, zoomed, mirrored and turned by quarter turns; small images are mirrored at the edge.

    With a centre, a flat position in the image, the square is one that holds it.
    """
    scale = 1.0
    if rng.random() < plan.scale_probability:
        scale = float(2 ** rng.uniform(np.log2(plan.min_scale), np.log2(plan.max_scale)))
    need = max(2, round(size / scale))
    rows, columns = image.maps.shape[1:]
    y, x = (None, None) if centre is None else divmod(centre, columns)
    top, left = _first(rows, need, y, rng), _first(columns, need, x, rng)
    box = np.s_[:, top : top + need, left : left + need]
    pixels = image.stretched[box].astype(np.float32)
    maps = image.maps[box]
    short = [(0, 0), (0, need - maps.shape[1]), (0, need - maps.shape[2])]
    if any(after for _, after in short):
        pixels, maps = np.pad(pixels, short, mode="symmetric"), np.pad(maps, short, mode="symmetric")
    if need != size:
        grid = (np.arange(size, dtype=np.float32) + 0.5) * (need / size) - 0.5
        pixels, maps = resample(pixels, grid), image.rules.resample(maps, grid)
    turns, mirror = int(rng.integers(4)), bool(rng.integers(2))
    pixels, maps = np.rot90(pixels, turns, (1, 2)), np.rot90(maps, turns, (1, 2))
    return (pixels[:, :, ::-1], maps[:, :, ::-1]) if mirror else (pixels, maps)


def _first(size: int, need: int, position: int | None, rng: np.random.Generator) -> int:
    """Draw where ``need`` of ``size`` pixels begin, those around a position if one is given."""
    lowest, highest = 0, max(0, size - need)
    if position is not None:
        lowest, highest = max(lowest, position - need + 1), min(highest, position)
    return int(rng.integers(min(lowest, highest), highest + 1))
