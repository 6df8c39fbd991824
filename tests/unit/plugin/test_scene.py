"""Which project may be painted on a layer, and on which channel of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_mouse_seg.errors import ProjectError
from napari_mouse_seg.plans import ImageReference, ProjectPlan
from napari_mouse_seg.plugin._layer_list import ImageLayerList
from napari_mouse_seg.plugin._scene import Scene, check_project, how_to_see, reference
from napari_mouse_seg.plugin._stage import Stage
from napari_mouse_seg.projects import Project
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHAPE = (24, 36)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Painted on the second channel of a file."""
    image = ImageReference(name="cells – GFP", shape=SHAPE, file_channel=1)
    with Project.create(
        tmp_path / "cells.mouse-seg", ProjectPlan(image=image, network_shape=SHAPE, limits=(0, 1))
    ) as new:
        yield new


def scene_of(channel: int | None) -> Scene:
    metadata = {} if channel is None else {"mouse_seg_channel": channel}
    return Scene.of(Image(np.zeros(SHAPE, np.uint8), name="cells", metadata=metadata), ())


def stage_without_image() -> Stage:
    viewer = ViewerModel()
    return Stage(viewer, ImageLayerList(viewer))


def test_another_channel_is_refused_and_the_right_layer_named(project: Project) -> None:
    with pytest.raises(ProjectError, match=r"painted on channel “my GFP”; choose that layer"):
        check_project(project, scene_of(0), {0: "cells", 1: "my GFP"})


def test_a_channel_that_is_not_in_the_viewer_is_named_as_it_was_called(project: Project) -> None:
    with pytest.raises(ProjectError, match=r"“cells – GFP”, which is not in the viewer; open the image again"):
        check_project(project, scene_of(0), {0: "cells"})


@pytest.mark.parametrize("shape", [SHAPE, (48, 72)], ids=["of the same size", "of another"])
def test_another_image_of_the_same_file_is_refused(tmp_path: Path, shape: tuple[int, int]) -> None:
    names = ["Position 1", "Position 2"]

    def position(number: int, shape: tuple[int, int]) -> Scene:
        metadata = {"mouse_seg_series": {"index": number, "names": names}}
        return Scene.of(Image(np.zeros(shape, np.uint8), name=names[number], metadata=metadata), ())

    painted = reference(position(0, SHAPE))
    assert painted.series == 0
    plan = ProjectPlan(image=painted, network_shape=SHAPE, limits=(0, 1))
    with Project.create(tmp_path / "stage.mouse-seg", plan) as project:
        check_project(project, position(0, SHAPE), {})
        with pytest.raises(ProjectError, match="another image of the same file, “Position 1”; choose that layer"):
            check_project(project, position(1, shape), {})


@pytest.mark.parametrize("said", [3, {"index": 2, "names": ["a"]}, {"index": "0", "names": ["a"]}, {}])
def test_what_a_reader_says_wrongly_of_series_is_passed_over(said: object) -> None:
    scene = Scene.of(Image(np.zeros(SHAPE, np.uint8), metadata={"mouse_seg_series": said}), ())
    assert reference(scene).series is None


@pytest.mark.parametrize("channel", [1, None], ids=["its channel", "a reader that does not say"])
def test_other_layers_of_the_file_are_taken(project: Project, channel: int | None) -> None:
    check_project(project, scene_of(channel), {})


def test_a_layer_with_all_channels_shows_the_one_that_was_painted_as_a_layer(project: Project) -> None:
    stage = stage_without_image()
    layer = Image(np.zeros((3, *SHAPE), np.uint8), axis_labels=("c", "y", "x"))
    stage.scene = Scene.of(layer, (0,))
    stage.set_reference(project.plan.image)
    assert stage.scene.plan.channel == 1


def test_a_channel_as_a_layer_is_the_only_one_of_that() -> None:
    stage = stage_without_image()
    stage.scene = scene_of(1)
    painted = reference(Scene.of(Image(np.zeros((3, *SHAPE), np.uint8), axis_labels=("c", "y", "x")), (1,)))
    assert (painted.channel, painted.file_channel) == (1, None)
    stage.set_reference(painted)
    assert stage.scene.plan.channel == 0


def test_what_to_open_is_told_for_each_image(project: Project, tmp_path: Path) -> None:
    assert "layer “cells – GFP”, which was in no file" in how_to_see(project)
    file = tmp_path / "cells.tif"
    project.update(image=project.plan.image.replace(path=str(file)))
    assert f"{file} is not there any more; open it where it lies now" in how_to_see(project)
    file.write_text("")
    assert how_to_see(project).endswith(f"open its image: {file}")


def test_replaced_pixels_of_the_same_size_are_seen_where_the_old_ones_were() -> None:
    layer = Image(np.zeros((3, *SHAPE), np.uint8), axis_labels=("c", "y", "x"))
    scene = Scene.of(layer, (2,))
    layer.data = layer.data + 7
    again = scene.anew()
    assert again is not None
    assert (again.plan, again.planes) == (scene.plan, scene.planes)
    assert again.image.plane(channel=2).read(0, Box(0, 0, 1, 1))[0, 0] == 7


@pytest.mark.parametrize("shape", [(24, 35), (3, 24, 36)], ids=["smaller", "more axes"])
def test_replaced_pixels_of_another_size_are_another_image(shape: tuple[int, ...]) -> None:
    layer = Image(np.zeros(SHAPE, np.uint8))
    scene = Scene.of(layer, ())
    layer.data = np.zeros(shape, np.uint8)
    assert scene.anew() is None
