from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from napari.layers._source import Source, layer_source
from tests.helpers.pyramids import write_plate

from napari_mouse_seg.plugin._layer_list import ImageLayerList
from napari_mouse_seg.plugin._layers import AID
from napari_mouse_seg.plugin._reader import CHANNEL, PATH, read
from napari_mouse_seg.plugin._scene import image_path
from napari_mouse_seg.plugin._truth_layers import LabelsLayerList

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PIXELS = np.zeros((8, 8), np.uint8)


@pytest.fixture
def viewer() -> ViewerModel:
    viewer = ViewerModel()
    viewer.add_image(PIXELS, name="lower")
    viewer.add_labels(PIXELS, name="paint")
    viewer.add_image(PIXELS, name="upper")
    return viewer


@pytest.fixture
def images(viewer: ViewerModel) -> Iterator[ImageLayerList]:
    images = ImageLayerList(viewer)
    yield images
    images.close()


@pytest.fixture
def labels(viewer: ViewerModel) -> Iterator[LabelsLayerList]:
    labels = LabelsLayerList(viewer)
    yield labels
    labels.close()


def test_images_and_labels_are_listed_apart(images: ImageLayerList, labels: LabelsLayerList) -> None:
    images.start()
    labels.start()
    assert (images.names, labels.names) == (["lower", "upper"], ["paint"])


def test_an_image_that_is_an_aid_is_not_listed(viewer: ViewerModel, images: ImageLayerList) -> None:
    viewer.add_image(PIXELS, name="preview", metadata={AID: True})
    images.start()
    assert images.names == ["lower", "upper"]


def test_the_active_image_is_chosen_at_first(viewer: ViewerModel, images: ImageLayerList) -> None:
    viewer.layers.selection.active = viewer.layers["lower"]
    images.start()
    assert (images.current, images.position) == (viewer.layers["lower"], 0)


def test_the_topmost_image_takes_the_place_of_one_that_is_gone(viewer: ViewerModel, images: ImageLayerList) -> None:
    viewer.layers.selection.active = viewer.layers["lower"]
    images.start()
    told: list[object] = []
    images.chosen.connect(lambda layer: told.append(layer.name))
    images.removed.connect(lambda layer: told.append(f"without {layer.name}"))
    viewer.layers.remove("lower")
    assert told == ["upper", "without lower"]


def test_removing_other_layers_is_told_too(viewer: ViewerModel, images: ImageLayerList) -> None:
    images.start()
    removed: list[str] = []
    images.removed.connect(lambda layer: removed.append(layer.name))
    viewer.layers.remove("paint")
    assert removed == ["paint"]


def test_altering_the_chosen_image_chooses_it_anew(viewer: ViewerModel, images: ImageLayerList) -> None:
    viewer.layers.selection.active = viewer.layers["upper"]
    images.start()
    told: list[str] = []
    images.altered.connect(lambda layer: told.append(f"altered {layer.name}"))
    images.chosen.connect(lambda layer: told.append(f"chosen {layer.name}"))
    viewer.layers["lower"].data = PIXELS + 1
    viewer.layers["upper"].data = PIXELS + 1
    assert told == ["altered lower", "altered upper", "chosen upper"]


def test_no_labels_are_chosen_unless_by_hand(viewer: ViewerModel, labels: LabelsLayerList) -> None:
    labels.start()
    assert (labels.current, labels.position) == (None, -1)
    labels.choose(0)
    assert (labels.current, labels.position) == (viewer.layers["paint"], 0)


def test_no_labels_take_the_place_of_those_that_are_gone(viewer: ViewerModel, labels: LabelsLayerList) -> None:
    viewer.add_labels(PIXELS, name="other")
    labels.start()
    labels.choose(0)
    viewer.layers.remove("paint")
    assert (labels.names, labels.current) == (["other"], None)


def test_labels_are_told_of_only_if_their_list_has_changed(viewer: ViewerModel, labels: LabelsLayerList) -> None:
    labels.start()
    told: list[list[str]] = []
    labels.listed.connect(lambda: told.append(labels.names))
    viewer.add_image(PIXELS)
    viewer.add_labels(PIXELS, name="other")
    viewer.layers["other"].name = "renamed"
    assert told == [["paint", "other"], ["paint", "renamed"]]


def test_painting_alters_labels_that_are_not_chosen(viewer: ViewerModel, labels: LabelsLayerList) -> None:
    labels.start()
    altered: list[object] = []
    labels.altered.connect(altered.append)
    viewer.layers["paint"].paint((2, 2), 1)
    assert viewer.layers["paint"] in altered


@pytest.mark.parametrize("kind", [ImageLayerList, LabelsLayerList])
def test_after_closing_nothing_is_told(viewer: ViewerModel, kind: type[ImageLayerList | LabelsLayerList]) -> None:
    layers = kind(viewer)
    layers.start()
    layers.close()
    told: list[object] = []
    layers.listed.connect(lambda: told.append("listed"))
    layers.altered.connect(told.append)
    for name in ("paint", "upper"):
        viewer.layers[name].data = PIXELS + 1
        viewer.layers[name].name = "new name"
        viewer.layers.remove("new name")
    assert told == []


@pytest.mark.parametrize(
    ("name", "value"), [("scale", (2, 2)), ("translate", (3, 4)), ("rotate", 20.0), ("shear", (0.5,))]
)
def test_moving_an_image_alters_it_once(viewer: ViewerModel, images: ImageLayerList, name: str, value: object) -> None:
    images.start()
    altered: list[str] = []
    images.altered.connect(lambda layer: altered.append(layer.name))
    setattr(viewer.layers["lower"], name, value)
    assert altered == ["lower"]


def add_channels(viewer: ViewerModel, path: Path, count: int, **arguments: object) -> list[Image]:
    """Add the layers of a file's channels as its reader does; napari selects the last."""
    path.touch()
    layers = []
    for channel in range(count):
        layer = Image(PIXELS, name=f"{path.stem} {channel}", metadata={CHANNEL: channel}, **arguments)
        layer._source = Source(path=str(path))
        layers.append(viewer.add_layer(layer))
    return layers


def test_an_image_that_is_opened_takes_the_place_of_the_one_before(viewer: ViewerModel, tmp_path: Path) -> None:
    allowed = True
    images = ImageLayerList(viewer, lambda: allowed)
    images.start()
    first, _ = add_channels(viewer, tmp_path / "a.tif", 2)
    assert images.current is first
    add_channels(viewer, tmp_path / "hidden.tif", 1, visible=False)
    viewer.add_image(PIXELS, name="filtered")  # Of no file: another plugin's, as likely as not.
    assert images.current is first
    (second,) = add_channels(viewer, tmp_path / "b.tif", 1)
    assert images.current is second
    others = [Image(PIXELS, name=f"other {channel}") for channel in range(3)]  # As another reader adds channels.
    (tmp_path / "d.tif").touch()
    for layer in others:
        layer._source = Source(path=str(tmp_path / "d.tif"))
        viewer.add_layer(layer)
    assert images.current is others[0]
    images.choose(images.names.index(second.name))
    allowed = False
    add_channels(viewer, tmp_path / "c.tif", 1)
    assert images.current is second
    images.close()


def test_of_channels_the_first_is_chosen_unless_another_is_selected(viewer: ViewerModel, tmp_path: Path) -> None:
    first, second, _ = add_channels(viewer, tmp_path / "a.tif", 3)
    for active, chosen in ((None, first), (second, second)):
        if active is not None:
            viewer.layers.selection.active = active
        images = ImageLayerList(viewer)
        images.start()
        assert images.current is chosen
        images.close()


def test_of_a_plate_the_field_that_is_seen_is_chosen_and_each_is_an_image_of_its_own(tmp_path: Path) -> None:
    plate = write_plate(tmp_path / "p.zarr", {f"A/{column}/0": PIXELS for column in (1, 2, 3)})
    viewer = ViewerModel()
    with layer_source(path=str(plate)):  # As napari notes what it opens.
        for data, arguments, _ in read(plate):
            viewer.add_image(data, **arguments)
    images = ImageLayerList(viewer)
    images.start()
    assert images.current is not None
    assert images.current.name == "p – A/1/0"
    assert {image_path(layer) for layer in viewer.layers} == {plate / f"A/{column}/0" for column in (1, 2, 3)}
    images.close()


def test_a_path_in_the_metadata_counts_only_within_what_was_opened(tmp_path: Path) -> None:
    for name in ("a.tif", "b.tif"):
        (tmp_path / name).touch()
    told = {PATH: str(tmp_path / "a.tif")}
    with layer_source(path=str(tmp_path / "b.tif")):
        other = Image(PIXELS, metadata=told)
    assert image_path(other) == tmp_path / "b.tif"
    assert image_path(Image(PIXELS, metadata=told)) is None
