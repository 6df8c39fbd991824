"""The command ``mouse-seg``: one module a command; each parses, calls and prints."""

from napari_mouse_seg.cli._main import main

__all__ = ["main"]
