"""Run as ``python -m napari_mouse_seg.cli``, where the command itself is not on the path."""

import sys

from napari_mouse_seg.cli import main

if __name__ == "__main__":
    sys.exit(main())
