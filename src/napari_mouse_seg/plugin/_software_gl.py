"""Around a crash of OpenGL in software, which remote desktops and virtual machines without a GPU draw with.

Mesa's llvmpipe (22.3 at least) ends the process when anything is drawn after the program of a line was deleted: of a
Shapes layer that was removed, or of the frame around a layer. Both are everyday here. So there programs are kept.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

_RENDERER = "llvmpipe"
_KNOWN = "napari_mouse_seg_keeps_programs"


def keep_programs() -> None:
    """From now on keep OpenGL programs that vispy deletes, if Mesa draws in software; some kilobytes a layer.

    Elsewhere nothing changes. Calling it again does nothing.
    """
    from vispy.gloo import gl, glir

    program = glir.GlirProgram
    delete = program.delete
    if hasattr(delete, "__wrapped__"):
        return

    @wraps(delete)
    def delete_unless_it_crashes(self: Any) -> None:  # Any: vispy carries no types
        known = self._parser.env
        if _KNOWN not in known:  # Asked here, where the context is the current one.
            known[_KNOWN] = _RENDERER in str(gl.glGetParameter(gl.GL_RENDERER))
        if not known[_KNOWN]:
            delete(self)

    program.delete = delete_unless_it_crashes
