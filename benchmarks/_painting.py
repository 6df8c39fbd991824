"""A simulated user: cuts patches from real images and paints them from their truth, in full or in part."""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import tifffile
from _data import data_dir
from scipy import ndimage
from skimage.transform import resize

from napari_mouse_seg import find_model
from napari_mouse_seg.images import intensity_range, stretch
from napari_mouse_seg.plans import BACKGROUND_LABEL, ClassPlan, PaintPlan
from napari_mouse_seg.training import PaintedPatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_mouse_seg.networks import ModelCard

BASE = "nuclei-fluorescence"
PATCH_PX = 256
STROKE_PX = 10
FIRST_OBJECT = 10
MAX_STROKES = 1000
SMALLEST_PX = 32
SURROUNDINGS_PX = 3
PAINTED_SHARE = 0.1
SHARE_ACROSS = 0.075  # The rest of PAINTED_SHARE goes to the background.
BEYOND_PX = 4
MISS_PX = 1

Read = tuple["NDArray[np.float32]", "NDArray[np.int32]"]


@dataclass(frozen=True)
class DataSet:
    """Images to paint and others to score.

    Attributes
    ----------
    train, test
        Names; no image is in both.
    read
        Name → grey pixels and truth: instances, or labels of classes with 0 where nothing is known.
    polarity
        Of the objects.
    classes
        Of areas; empty for objects.
    read_own_size
        As ``read``, of images that it resizes; None if it leaves them as they are.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]
    read: Callable[[str], Read]
    polarity: str
    classes: tuple[ClassPlan, ...] = ()
    read_own_size: Callable[[str], Read] | None = None


def histology() -> DataSet:
    """Return nuclei of the DSB2018 histology images, dark; the split is its index's."""
    with (data_dir() / "dsb2018" / "index.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["modality"] == "histology"]
    split = {name: tuple(row["id"] for row in rows if row["split"] == name) for name in ("train", "test")}
    return DataSet(split["train"], split["test"], lambda stem: _read("dsb2018", stem), "dark")


def emps() -> DataSet:
    """Return particles in electron micrographs, as objects; the last 40 images are scored.

    Each image is brought to the size at which its typical particle is as large as what the base model knows, as by
    drawing a line across one; as they are, particles are 20 to 350 px across. A patch is then about a whole image.
    Particles are brighter than the background in some images and darker in others.
    """
    names = _stems("emps")
    own_size = partial(_read, "emps")
    return DataSet(names[:-40], names[-40:], _read_emps, "bright", read_own_size=own_size)


def emps_areas() -> DataSet:
    """Return the same images with areas: particles against background."""

    def read(stem: str) -> Read:
        pixels, labels = _read_emps(stem)
        return pixels, np.where(labels > 0, 2, BACKGROUND_LABEL).astype(np.int32)

    one = emps()
    classes = _classes("Background", "Particle")
    return DataSet(one.train, one.test, read, one.polarity, classes)


def vnc_areas() -> DataSet:
    """Return neural tissue: inside of cells, membranes of all orientations, mitochondria, glia; synapses are left out.

    Sections 00 to 07 are painted and 10 to 13 scored: neighbours resemble each other.
    """
    lookup = np.zeros(256, np.int32)
    for label, values in enumerate(((255,), (0, 32, 64, 96, 128), (191,), (159,)), start=1):
        lookup[list(values)] = label

    def read(stem: str) -> Read:
        pixels, labels = _read("vnc_sstem", stem)
        return pixels, lookup[labels]

    names = _stems("vnc_sstem")
    return DataSet(names[:8], names[10:], read, "bright", _classes("Inside", "Membrane", "Mitochondria", "Glia"))


DATA: dict[str, dict[str, Callable[[], DataSet]]] = {
    "objects": {"histology": histology, "emps": emps},
    "areas": {"emps": emps_areas, "vnc": vnc_areas},
}
"""By task and name; the first of a task is its default."""


@dataclass(frozen=True)
class Cut:
    """Where a patch is: an image's name, pixels and truth, and (rows, columns) in it."""

    stem: str
    pixels: NDArray[np.float32]
    labels: NDArray[np.int32]
    box: tuple[slice, slice]


def cuts(data: DataSet, count: int, rng: np.random.Generator) -> Iterator[Cut]:
    """Draw patches, one an image while there are others; fields smaller than a patch are taken whole."""
    for stem in np.resize(rng.permutation(data.train), count):
        pixels, labels = data.read(str(stem))
        y, x = (int(rng.integers(max(1, size - PATCH_PX + 1))) for size in labels.shape)
        yield Cut(str(stem), pixels, labels, np.s_[y : y + PATCH_PX, x : x + PATCH_PX])


def paint(cut: Cut, data: DataSet, how: str, card: ModelCard, rng: np.random.Generator) -> PaintedPatch:
    """Paint a patch from its truth: in ``full``, with ``strokes``, strokes ``across``, or ``some`` objects whole."""
    stretched = stretch(cut.pixels, intensity_range(cut.pixels, card.intensity), card.intensity)[None]
    labels = cut.labels[cut.box]
    whole = labels if data.classes else np.where(labels > 0, labels + FIRST_OBJECT, BACKGROUND_LABEL)
    if how == "strokes":
        whole = strokes(whole, each_class if data.classes else each_object, rng)
    elif how == "across":
        whole = strokes_across(whole, rng)
    elif how == "some":
        whole = some_objects(whole, rng)
    in_strokes = how in ("strokes", "across") and not data.classes
    meaning = PaintPlan(whole_objects=not in_strokes, rest_is_background=in_strokes)  # Every object has a stroke.
    return PaintedPatch(cut.stem, stretched[:, *cut.box], whole, meaning)


def painted_patches(data: DataSet, count: int, how: str, card: ModelCard, seed: int) -> Iterator[PaintedPatch]:
    """Draw and paint patches."""
    rng = np.random.default_rng(seed)
    for cut in cuts(data, count, rng):
        yield paint(cut, data, how, card, rng)


def each_class(labels: NDArray[np.int32], rng: np.random.Generator) -> Iterator[int]:
    """Turn to one class after the other, evenly."""
    while True:
        yield from rng.permutation(labels).tolist()


def each_object(labels: NDArray[np.int32], rng: np.random.Generator) -> Iterator[int]:
    """Turn to every object once, then to the background."""
    yield from rng.permutation(labels[labels != BACKGROUND_LABEL]).tolist()
    yield from itertools.repeat(BACKGROUND_LABEL)


def strokes(
    whole: NDArray[np.int32],
    turns: Callable[[NDArray[np.int32], np.random.Generator], Iterator[int]],
    rng: np.random.Generator,
    share: float = PAINTED_SHARE,
) -> NDArray[np.int32]:
    """Keep short lines of full paint, until about ``share`` of the pixels are painted.

    Parameters
    ----------
    whole
        (Y, X), painted in full; 0 gets no stroke.
    turns
        Labels and generator → the label of each stroke: ``each_class`` or ``each_object``.
    rng
        Draws where.
    share
        Of all pixels.
    """
    out = np.zeros(whole.shape, np.int32)
    inside = inside_of(whole)
    labels = np.unique(whole[inside & (whole > 0)])
    for label in itertools.islice(turns(labels, rng), MAX_STROKES):
        _draw_somewhere(out, whole, inside, label, rng)
        if (out > 0).mean() >= share:
            break
    return out


def strokes_across(
    whole: NDArray[np.int32], rng: np.random.Generator, share: float = PAINTED_SHARE
) -> NDArray[np.int32]:
    """Draw a line through the middle of each object, from edge to edge and on into the background.

    As with *Strokes end at the edges*. The hand misses by up to a pixel in both directions. Where ``share`` leaves
    room, objects get a second line across the first; the rest are lines in the background.

    Parameters
    ----------
    whole
        (Y, X) objects painted in full.
    rng
        Draws directions and misses.
    share
        Of all pixels; a line in each object may go over it.
    """
    out = np.zeros(whole.shape, np.int32)
    labels = np.unique(whole[whole > BACKGROUND_LABEL])
    angles = dict(zip(labels.tolist(), rng.uniform(0, np.pi, len(labels)), strict=True))
    for turn in (0.0, np.pi / 2):
        for label in rng.permutation(labels).tolist():
            if turn and (out > 0).mean() >= SHARE_ACROSS:
                break
            miss = rng.integers(-MISS_PX, MISS_PX + 1, 2)
            line = _line_across(_shifted(whole, miss), label, angles[label] + turn)
            out = np.where((line > 0) & (out == 0), line, out)
    inside = inside_of(whole)
    for _ in range(MAX_STROKES):
        if (out > 0).mean() >= share:
            break
        _draw_somewhere(out, whole, inside, BACKGROUND_LABEL, rng)
    return out


def inside_of(whole: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return the pixels of which all neighbours have the same label: a hand keeps off the edges."""
    inside: NDArray[np.bool_] = ndimage.minimum_filter(whole, 3) == ndimage.maximum_filter(whole, 3)
    return inside


def some_objects(whole: NDArray[np.int32], rng: np.random.Generator, share: float = PAINTED_SHARE) -> NDArray[np.int32]:
    """Keep some objects, those that touch them, and the background right around, up to ``share`` of the pixels.

    Parameters
    ----------
    whole
        (Y, X) objects painted in full.
    rng
        Draws which.
    share
        Of all pixels; the last object may go over it.
    """
    out = np.zeros(whole.shape, np.int32)
    for label in rng.permutation(np.unique(whole[whole > BACKGROUND_LABEL])):
        group = np.unique(whole[ndimage.binary_dilation(whole == label, iterations=2)])
        members = np.isin(whole, group[group != BACKGROUND_LABEL])
        around = ndimage.binary_dilation(members, iterations=SURROUNDINGS_PX) & (whole == BACKGROUND_LABEL)
        out = np.where(members | around, whole, out)
        if (out > 0).mean() >= share:
            break
    return out


def _shifted(whole: NDArray[np.int32], by: NDArray[np.int64]) -> NDArray[np.int32]:
    rows, columns = (np.clip(np.arange(size) + step, 0, size - 1) for size, step in zip(whole.shape, by, strict=True))
    return whole[rows][:, columns]


def _line_across(whole: NDArray[np.int32], label: int, angle: float) -> NDArray[np.int32]:
    """Return (Y, X) paint of one line, three pixels wide, and of the background that it goes on into."""
    out = np.zeros(whole.shape, np.int32)
    wanted = np.where((whole == label) | (whole == BACKGROUND_LABEL), whole, 0)
    depth = ndimage.distance_transform_edt(np.pad(whole == label, 1))[1:-1, 1:-1]
    if not depth.any():
        return out  # The hand has missed an object of a pixel or two.
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    for sign in (-1, 1):
        beyond = 0.0
        for step in np.arange(0, max(whole.shape), 0.5) * sign:
            row, column = round(y + step * np.sin(angle)), round(x + step * np.cos(angle))
            if not (0 <= row < whole.shape[0] and 0 <= column < whole.shape[1]):
                break
            beyond += 0.5 if wanted[row, column] == BACKGROUND_LABEL else 0.0
            has_met_another = wanted[row, column] == 0 or (beyond > 0 and wanted[row, column] == label)
            if has_met_another or beyond > BEYOND_PX:
                break
            spot = np.s_[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
            out[spot] = np.where(wanted[spot] > 0, wanted[spot], out[spot])
    return out


def _draw_somewhere(
    out: NDArray[np.int32],
    whole: NDArray[np.int32],
    inside: NDArray[np.bool_],
    label: int,
    rng: np.random.Generator,
) -> None:
    """Draw one line where a label is not painted yet, if there is room."""
    rows, columns = np.nonzero(inside & (whole == label) & (out == 0))
    if len(rows) > 0:
        pick = rng.integers(len(rows))
        _draw(out, whole, inside, (int(rows[pick]), int(columns[pick])), rng.uniform(0, np.pi))


def _draw(
    out: NDArray[np.int32],
    whole: NDArray[np.int32],
    inside: NDArray[np.bool_],
    middle: tuple[int, int],
    angle: float,
) -> None:
    """Draw one line, three pixels wide, that does not leave what it is drawn in."""
    y, x = middle
    label = whole[middle]
    for step in np.arange(-STROKE_PX, STROKE_PX + 1):
        spot = np.s_[
            max(0, round(y + step * np.sin(angle)) - 1) : max(0, round(y + step * np.sin(angle)) + 2),
            max(0, round(x + step * np.cos(angle)) - 1) : max(0, round(x + step * np.cos(angle)) + 2),
        ]
        brush = (whole[spot] == label) & inside[spot]
        out[spot][brush] = label


def _classes(*names: str) -> tuple[ClassPlan, ...]:
    return tuple(ClassPlan(label=label, name=name, colour="#808080") for label, name in enumerate(names, start=1))


def _stems(folder: str) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (data_dir() / folder / "images").glob("*.tif")))


def _read_emps(stem: str) -> Read:
    pixels, labels = _read("emps", stem)
    areas = np.bincount(labels.ravel())[1:]
    diameter = np.median(np.sqrt(areas[areas > 0] * 4 / np.pi))
    factor = (find_model(BASE).card.object_diameter_px or diameter) / diameter
    shape = tuple(max(SMALLEST_PX, round(size * factor)) for size in labels.shape)
    smaller = resize(pixels, shape, order=1, anti_aliasing=True, preserve_range=True).astype(np.float32)
    return smaller, resize(labels, shape, order=0, anti_aliasing=False, preserve_range=True).astype(np.int32)


def _read(folder: str, stem: str) -> Read:
    pixels = tifffile.imread(data_dir() / folder / "images" / f"{stem}.tif")
    pixels = pixels[..., :3].mean(-1, dtype=np.float32) if pixels.ndim == 3 else pixels.astype(np.float32)
    return pixels, tifffile.imread(data_dir() / folder / "labels" / f"{stem}.tif").astype(np.int32)
