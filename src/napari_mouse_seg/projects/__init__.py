"""The annotation project on disk: patches, paint, classes, rounds and settings in one folder."""

from napari_mouse_seg.projects._damage import Damage
from napari_mouse_seg.projects._files import write_copy
from napari_mouse_seg.projects._image_link import relinked
from napari_mouse_seg.projects._layout import Layout, default_folder
from napari_mouse_seg.projects._places import (
    FingerprintNeededError,
    find_project,
    free_folder,
    project_places,
    read_reference,
    rescue_folder,
)
from napari_mouse_seg.projects._project import Project

__all__ = [
    "Damage",
    "FingerprintNeededError",
    "Layout",
    "Project",
    "default_folder",
    "find_project",
    "free_folder",
    "project_places",
    "read_reference",
    "relinked",
    "rescue_folder",
    "write_copy",
]
