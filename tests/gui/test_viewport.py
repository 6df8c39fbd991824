"""The visible region is computed in level-0 pixels, whatever the layer's form and transform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_mouse_seg.plugin._viewport import canvas_corners, canvas_shape, fill_view, look, show_planes
from napari_mouse_seg.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer

    MakeViewer = Callable[..., Viewer]
    SetView = Callable[..., None]


def _pyramid(rows: int, columns: int) -> list[np.ndarray]:
    return [np.zeros((rows // step, columns // step), np.uint8) for step in (1, 2, 4, 8)]


@pytest.fixture
def viewer(make_napari_viewer: MakeViewer) -> Viewer:
    viewer = make_napari_viewer()
    viewer.canvas.size = (400, 600)
    assert canvas_shape(viewer) == (400, 600)
    return viewer


@pytest.mark.parametrize(
    ("zoom", "expected"),
    [
        # 400 x 600 canvas pixels around the world point (500, 800): half sizes are 200 / zoom and 300 / zoom.
        (1.0, Box(300, 500, 701, 1101)),  # the centres of pixels 300 and 700 are on the border
        (2.0, Box(400, 650, 601, 951)),
        (0.5, Box(100, 200, 901, 1401)),
        (0.1, Box(0, 0, 1000, 1600)),
        (40.0, Box(495, 793, 506, 808)),  # 792.5 is the border of pixels 792 and 793
    ],
)
@pytest.mark.parametrize("multiscale", [False, True])
def test_box_is_in_level_0_pixels_at_any_zoom(
    viewer: Viewer, set_view: SetView, zoom: float, expected: Box, multiscale: bool
) -> None:
    data = _pyramid(1000, 1600) if multiscale else _pyramid(1000, 1600)[0]
    layer = viewer.add_image(data, multiscale=multiscale)
    set_view(viewer, (500, 800), zoom)
    assert look(viewer, layer).box == expected


def test_scale_and_translate_are_undone(viewer: Viewer, set_view: SetView) -> None:
    # One pixel is 0.5 x 0.25 world units; pixel (0, 0) lies at (10, 20).
    layer = viewer.add_image(_pyramid(1000, 1600), scale=(0.5, 0.25), translate=(10, 20))
    set_view(viewer, (110.25, 120.125), 10.0)  # 40 x 60 world units: rows 90.25..130.25, columns 90.125..150.125
    # rows (90.25 - 10) / 0.5 = 160.5 .. 240.5; columns (90.125 - 20) / 0.25 = 280.5 .. 520.5
    assert look(viewer, layer).box == Box(161, 281, 241, 521)


def test_lengths_in_other_units_are_those_that_napari_draws(viewer: Viewer, set_view: SetView) -> None:
    layer = viewer.add_image(_pyramid(1000, 1600), scale=(0.5, 0.5), units=("um", "um"))
    viewer.add_image(np.zeros((9, 9)), scale=(500, 500), units=("nm", "nm"))
    if getattr(viewer.dims, "units", None) is None:
        pytest.skip("this napari draws all lengths alike")
    set_view(viewer, (125_000, 200_000), 0.004)  # 100,000 x 150,000 nm around (125, 200) µm: pixels are 500 nm.
    assert look(viewer, layer).box == Box(150, 250, 351, 551)


def test_a_layer_in_other_units_fills_the_view(viewer: Viewer) -> None:
    layer = viewer.add_image(np.zeros((3, 100, 300)), scale=(2, 0.5, 0.5), translate=(0, 30, 40), units=("um",) * 3)
    viewer.add_image(np.zeros((3, 9, 9)), scale=(2000, 500, 500), units=("nm",) * 3)
    show_planes(viewer, layer, (2,))
    fill_view(viewer, layer, 0.8)
    view = look(viewer, layer)
    assert view.planes == (2,)
    assert view.box == Box(0, 0, 100, 300)
    corners = canvas_corners(viewer)
    np.testing.assert_allclose(corners.mean(0), np.multiply((30 + 24.75, 40 + 74.75), _world_length(viewer)))
    np.testing.assert_allclose(np.ptp(corners, axis=0)[1] * 0.8, 150 * _world_length(viewer), rtol=0.01)


def _world_length(viewer: Viewer) -> float:
    """Return how many of the viewer's units a micrometre is."""
    return 1.0 if getattr(viewer.dims, "units", None) is None else 1000.0


def test_quarter_turn_swaps_rows_and_columns(viewer: Viewer, set_view: SetView) -> None:
    # napari turns by +90 degrees: world = (-column, row).
    layer = viewer.add_image(np.zeros((1000, 1600), np.uint8), rotate=90)
    assert np.allclose(layer.data_to_world((10, 3)), (-3, 10))
    set_view(viewer, (-800, 500), 2.0)  # world rows -900..-700, columns 350..650
    assert look(viewer, layer).box == Box(350, 700, 651, 901)


def test_slanted_layer_gives_the_box_around_its_visible_part(viewer: Viewer, set_view: SetView) -> None:
    # Turned by 45 degrees, the canvas is a slanted rectangle in the image, with half diagonals along the axes:
    # reach = (100 + 150) / sqrt(2) = 176.8 pixels around the centre, in rows and in columns.
    layer = viewer.add_image(np.zeros((1000, 1000), np.uint8), rotate=45)
    centre = layer.data_to_world((500, 500))
    set_view(viewer, centre, 2.0)
    assert look(viewer, layer).box == Box(323, 323, 678, 678)


def test_affine_is_part_of_the_transform(viewer: Viewer, set_view: SetView) -> None:
    affine = np.array([[2.0, 0, 5], [0, 2.0, -7], [0, 0, 1]])
    layer = viewer.add_image(np.zeros((1000, 1600), np.uint8), affine=affine)
    set_view(viewer, (1005.5, 1593.5), 2.0)  # rows 905.5..1105.5, columns 1443.5..1743.5
    assert look(viewer, layer).box == Box(450, 725, 551, 876)


def test_rgb_axis_is_not_a_spatial_axis(viewer: Viewer, set_view: SetView) -> None:
    layer = viewer.add_image(np.zeros((1000, 1600, 3), np.uint8), rgb=True)
    set_view(viewer, (500, 800), 2.0)
    assert look(viewer, layer).box == Box(400, 650, 601, 951)


def test_sliders_choose_the_plane(viewer: Viewer, set_view: SetView) -> None:
    layer = viewer.add_image(np.zeros((3, 4, 1000, 1600), np.uint8), scale=(2, 5, 1, 1), translate=(0, 10, 0, 0))
    viewer.dims.set_point(0, 4.0)
    viewer.dims.set_point(1, 25.0)
    set_view(viewer, (500, 800), 2.0)
    view = look(viewer, layer)
    assert view.planes == (2, 3)
    assert view.box == Box(400, 650, 601, 951)


def test_other_layers_do_not_shift_the_region(viewer: Viewer, set_view: SetView) -> None:
    layer = viewer.add_image(np.zeros((1000, 1600), np.uint8))
    viewer.add_image(np.zeros((5, 60, 60), np.uint8), scale=(1, 100, 100), translate=(0, -3000, -2000))
    viewer.add_points(np.array([[0.0, 9000, 9000]]))
    set_view(viewer, (500, 800), 2.0)
    assert look(viewer, layer).box == Box(400, 650, 601, 951)


def test_camera_agrees_with_what_napari_draws(make_napari_viewer: MakeViewer, set_view: SetView) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.zeros((3, 1000, 1600), np.uint8), scale=(1, 0.7, 0.7), rotate=20)
    set_view(viewer, (321.0, 123.0), 1.7)
    drawn = viewer.window._qt_viewer.canvas._viewbox_corners_in_world[:, -2:]
    np.testing.assert_allclose(canvas_corners(viewer)[[0, 2]], drawn, atol=0.01)


def test_3d_view_says_why_there_is_no_region(viewer: Viewer) -> None:
    layer = viewer.add_image(np.zeros((8, 64, 64), np.uint8))
    viewer.dims.ndisplay = 3
    view = look(viewer, layer)
    assert view.box is None
    assert "2-D view" in view.box_reason
    assert "2-D view" in view.plane_reason


def test_view_beside_the_layer_says_so(viewer: Viewer, set_view: SetView) -> None:
    layer = viewer.add_image(np.zeros((100, 100), np.uint8), name="field")
    set_view(viewer, (5000, 5000), 1.0)
    view = look(viewer, layer)
    assert view.box is None
    assert "'field' is outside of the view" in view.box_reason
    assert view.plane_reason == ""


def test_corner_of_a_slanted_view_that_passes_the_image_is_no_hit(viewer: Viewer, set_view: SetView) -> None:
    # The bounding box of the slanted canvas overlaps the image, the canvas itself does not.
    layer = viewer.add_image(np.zeros((100, 100), np.uint8), rotate=45)
    set_view(viewer, layer.data_to_world((-150, -150)), 2.0)
    assert look(viewer, layer).box is None


def test_swapped_axes_are_refused_in_words(viewer: Viewer) -> None:
    layer = viewer.add_image(np.zeros((8, 64, 64), np.uint8))
    viewer.dims.order = (1, 0, 2)
    assert "order of the axes" in look(viewer, layer).plane_reason


def test_slider_outside_of_a_shorter_layer_is_explained(viewer: Viewer) -> None:
    layer = viewer.add_image(np.zeros((3, 64, 64), np.uint8), name="short")
    viewer.add_image(np.zeros((9, 64, 64), np.uint8))
    viewer.dims.set_point(0, 7)
    assert "outside of 'short'" in look(viewer, layer).plane_reason
