"""Models by name: those in the package, and files of the user's."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from napari_mouse_seg.errors import ModelNotFoundError
from napari_mouse_seg.networks._model_file import Model, load_model

SUFFIX = ".safetensors"

DEFAULT_MODEL = "nuclei-fluorescence"
"""Name of the bundled model that is used when none is named, but for stained sections."""

RGB_MODEL = "nuclei-histology"
"""Name of the bundled model for stained sections in RGB."""


def bundled_folder() -> Path:
    """Return the folder of the bundled model files."""
    return Path(str(files("napari_mouse_seg"))) / "models"


def list_models() -> tuple[Model, ...]:
    """Return the bundled models, by name."""
    found = [load_model(path) for path in bundled_folder().glob(f"*{SUFFIX}")]
    return tuple(sorted(found, key=lambda model: model.card.name))


def find_model(name: str | Path) -> Model:
    """Return a bundled model by name, or the model in a file.

    Raises
    ------
    ModelNotFoundError
        Names what there is.
    ModelError
        If the file is damaged or no model.
    """
    if str(name).endswith(SUFFIX):
        path = Path(name)
        return load_model(path if path.exists() else Path(os.path.expanduser(path)))
    models = list_models()
    for model in models:
        if model.card.name == str(name):
            return model
    if os.path.lexists(name):
        rounds = " Models that were trained in a project lie in its folder rounds." if Path(name).is_dir() else ""
        raise ModelNotFoundError(f"{name} is no {SUFFIX} file, so it holds no model of napari-mouse-seg.{rounds}")
    known = ", ".join(model.card.name for model in models) or "none"
    raise ModelNotFoundError(
        f"There is no model {str(name)!r}; bundled: {known}. Give one of these or a {SUFFIX} file."
    )
