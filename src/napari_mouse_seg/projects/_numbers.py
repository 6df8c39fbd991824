"""Numbers for new patches and rounds.

None is given twice, also after a deletion: files in the trash keep their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_mouse_seg.plans import ProjectPlan
    from napari_mouse_seg.projects._layout import Layout


class Numbers:
    """Remembers the highest numbers of a project that were ever seen.

    Parameters
    ----------
    layout
        Whose files count, too.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._highest_patch = 0
        self._highest_round = 0

    def next_patch_id(self, plan: ProjectPlan) -> str:
        """Return an id that no patch has or had: ``p001``, ``p002`` and so on."""
        seen = [patch_id for entry in plan.rounds for patch_id in entry.patches]
        seen += [patch.id for patch in plan.patches]
        numbers = [int(name[1:]) for name in seen if name[0] == "p" and name[1:].isdecimal()]
        self._highest_patch = max(self._highest_patch, self._layout.highest_patch(), *numbers, 0)
        return f"p{self._highest_patch + 1:03d}"

    def next_round(self, plan: ProjectPlan) -> int:
        """Return a number that no round has or had."""
        numbers = (entry.number for entry in plan.rounds)
        self._highest_round = max(self._highest_round, self._layout.highest_round(), *numbers, 0)
        return self._highest_round + 1
