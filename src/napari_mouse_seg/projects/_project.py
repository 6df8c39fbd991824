"""An annotation project: one folder, one plan, and nothing in it lost.

Every change is on the disk when its method returns, and each file is replaced as a whole. A database was turned down:
paint as TIFF opens in any other program.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_mouse_seg._atomic import explain
from napari_mouse_seg.errors import PlanError, ProjectError
from napari_mouse_seg.projects._classes import check_change, check_distinct
from napari_mouse_seg.projects._files import (
    box_shape,
    check_pixels,
    compact_paint,
    encode_tiff,
    read_paint,
    read_pixels,
    write_bytes,
    write_plan,
)
from napari_mouse_seg.projects._image_link import find_image, relinked
from napari_mouse_seg.projects._layout import Layout, default_folder
from napari_mouse_seg.projects._lock import ProjectLock
from napari_mouse_seg.projects._numbers import Numbers
from napari_mouse_seg.projects._opening import Opening, move_back, move_to_trash

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from napari_mouse_seg.plans import PatchPlan, ProjectPlan, RoundPlan
    from napari_mouse_seg.projects._damage import Damage


class Project:
    """A project that is open; made by :meth:`create` and :meth:`open`.

    Methods may be called from any thread. Those that change something raise `ProjectError` in words if the project is
    read-only or closed, its folder is gone, or the disk refuses; then nothing has changed.

    Attributes
    ----------
    folder
        Where it lies.
    read_only_reason
        Why it cannot be changed, in words; empty if it can.
    damage
        What was found wrong while it was opened.
    """

    def __init__(self, layout: Layout, lock: ProjectLock, read_only_reason: str, opening: Opening) -> None:
        self.folder = layout.folder
        self.read_only_reason = read_only_reason
        self.damage: tuple[Damage, ...] = tuple(opening.damage)
        self._layout = layout
        self._lock = lock
        self._plan = opening.plan
        self._broken = frozenset(opening.broken)
        self._unpainted = set(opening.unpainted)
        self._numbers = Numbers(layout)
        self._writing = threading.RLock()
        self._tickets = count(1)
        self._written: dict[str, int] = {}
        self._is_closed = False

    @classmethod
    def create(cls, folder: str | os.PathLike[str], plan: ProjectPlan) -> Self:
        """Start a project in a folder, which is made if needed.

        Raises
        ------
        ProjectError
            If the folder holds a project already, or cannot be written to.
        PlanError
            If two classes share a label or a name.
        """
        check_distinct(plan)
        layout = Layout(Path(folder).absolute())
        if layout.folder.exists() and not layout.folder.is_dir():
            raise ProjectError(f"{layout.folder} is a file; choose a folder.")
        try:
            layout.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProjectError(explain(layout.folder, error, "made")) from error
        lock = ProjectLock(layout)
        reason = lock.take()
        with lock.released_after_failure():
            if layout.is_project:
                raise ProjectError(f"{layout.folder} holds a project already; open it, or choose another folder.")
            if reason:
                raise ProjectError(reason)
            write_plan(layout, plan)
            return cls(layout, lock, "", Opening(layout, writable=True))

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Self:
        """Open a project, to change it if nobody else has it open, otherwise to look at.

        Reads every patch once, to find damage.

        Raises
        ------
        ProjectError
            If there is no project, neither its list nor the backup can be read, or a later version wrote it.
        """
        layout = Layout(Path(folder).absolute())
        if layout.folder.name == layout.plan_file.name:
            layout = Layout(layout.folder.parent)  # The file was named, and the project is meant.
        if not layout.is_project:
            raise ProjectError(f"There is no project in {layout.folder}; {_where_else(layout.folder)}.")
        lock = ProjectLock(layout)
        reason = lock.take()
        with lock.released_after_failure():
            return cls(layout, lock, reason, Opening(layout, writable=not reason))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others change the project. May be called again."""
        with self._writing:
            self._is_closed = True
            self._lock.release()

    @property
    def plan(self) -> ProjectPlan:
        """Everything but pixels and weights, as on the disk."""
        return self._plan

    @property
    def read_only(self) -> bool:
        """Whether it can only be looked at."""
        return bool(self.read_only_reason)

    @property
    def broken(self) -> frozenset[str]:
        """Ids of patches in the plan that cannot be used, since pixels or paint cannot be read."""
        return self._broken & {patch.id for patch in self._plan.patches}

    def update(
        self,
        *,
        labels_of: Callable[[str], Iterable[int]] | None = None,
        **changes: Any,  # Any: the fields of the plan
    ) -> None:
        """Change fields of the plan.

        Parameters
        ----------
        labels_of
            Returns the labels that a patch is painted with, if the caller knows them; else paint is read if need be.
        **changes
            Fields by name.

        Raises
        ------
        PlanError
            If a value is out of bounds, or paint would lose its meaning: a class is taken out that a patch is painted
            with, or objects become areas. Classes can be added, renamed and recoloured at any time.
        """
        with self._changing("project.json"):
            plan = self._plan.replace(**changes)
            look = labels_of or self._labels
            check_change(self._plan, plan, ((patch, look(patch.id)) for patch in self._sound_patches()))
            if plan.rounds:
                gone = {entry.label for entry in self._plan.classes} - {entry.label for entry in plan.classes}
                plan = plan.replace(retired_labels=tuple(sorted({*plan.retired_labels, *gone})))
            self._write_plan(plan)

    def _labels(self, patch_id: str) -> list[int]:
        labels: list[int] = np.unique(self.paint(patch_id)).tolist()
        return labels

    def _sound_patches(self) -> tuple[PatchPlan, ...]:
        return tuple(patch for patch in self._plan.patches if patch.id not in self._broken)

    def next_patch_id(self) -> str:
        """Return an id that no patch has or had: ``p001``, ``p002`` and so on."""
        return self._numbers.next_patch_id(self._plan)

    def add_patch(self, pixels: NDArray[Any], plan: PatchPlan) -> None:  # Any: one of three dtypes
        """Add a patch without paint.

        Parameters
        ----------
        pixels
            (C, Y, X) of the box's size, as in the image: uint8, uint16 or float32.
        plan
            With an id from :meth:`next_patch_id`.
        """
        check_pixels(pixels, plan)
        image, paint = self._layout.image_file(plan.id), self._layout.paint_file(plan.id)
        with self._changing(image.name):
            if any(patch.id == plan.id for patch in self._plan.patches) or self._layout.is_used(plan.id):
                raise ProjectError(f"There is or was a patch {plan.id}; the next free id is {self.next_patch_id()}.")
            try:
                write_bytes(paint, encode_tiff(np.zeros(box_shape(plan), np.uint16)))
                write_bytes(image, encode_tiff(pixels, plan))
                self._write_plan(self._plan.replace(patches=(*self._plan.patches, plan)))
            except BaseException:
                for file in (image, paint):
                    with suppress(OSError):
                        file.unlink()
                raise

    def pixels(self, patch_id: str) -> NDArray[Any]:  # Any: one of three dtypes
        """Read the (C, Y, X) pixels of a patch."""
        return read_pixels(self._layout.image_file(patch_id), self._patch(patch_id))

    def paint(self, patch_id: str) -> NDArray[np.uint32]:
        """Read the (Y, X) paint of a patch; zeros if it was damaged and nothing was painted since."""
        patch = self._patch(patch_id)
        if patch_id in self._unpainted:
            return np.zeros(box_shape(patch), np.uint32)
        return read_paint(self._layout.paint_file(patch_id), patch)

    def write_paint(self, patch_id: str, paint: NDArray[Any]) -> None:  # Any: any integers
        """Replace the paint of a patch; it is on the disk when this returns.

        Of two calls at a time the later one stays. The array is copied first, so painting may go on.

        Parameters
        ----------
        patch_id
            Of the patch.
        paint
            (Y, X) labels of any integer dtype, 0 where nothing is painted.
        """
        labels = compact_paint(paint, self._patch(patch_id))
        ticket = next(self._tickets)
        data = encode_tiff(labels)
        file = self._layout.paint_file(patch_id)
        with self._changing(file.name):
            self._patch(patch_id)  # deleted meanwhile?
            if patch_id in self._broken:
                raise ProjectError(f"Patch {patch_id} cannot be painted: its files could not be read.")
            if ticket > self._written.get(patch_id, 0):
                write_bytes(file, data)
                self._written[patch_id] = ticket
                self._unpainted.discard(patch_id)

    def update_patch(self, plan: PatchPlan) -> None:
        """Change a patch's plan, all but its id and place."""
        with self._changing("project.json"):
            if self._patch(plan.id).box != plan.box:
                raise ProjectError(f"Patch {plan.id} cannot be moved, as its pixels are stored; add another patch.")
            patches = tuple(plan if patch.id == plan.id else patch for patch in self._plan.patches)
            self._write_plan(self._plan.replace(patches=patches))

    def delete_patch(self, patch_id: str) -> None:
        """Take a patch out; its files go to the folder ``trash``. Put back into ``patches``, they are found again."""
        with self._changing("project.json"):
            self._patch(patch_id)
            patches = tuple(patch for patch in self._plan.patches if patch.id != patch_id)
            self._delete(self._layout.patch_files(patch_id), patches=patches)

    def round_file(self, number: int) -> Path:
        """Return where the model of a round lies, or is to be written."""
        return self._layout.round_file(number)

    def next_round_number(self) -> int:
        """Return a number that no round has or had."""
        return self._numbers.next_round(self._plan)

    def add_round(self, plan: RoundPlan) -> None:
        """Add a finished round, whose model lies at :meth:`round_file` already."""
        with self._changing("project.json"):
            if any(entry.number == plan.number for entry in self._plan.rounds):
                raise ProjectError(f"There is a round {plan.number}; the next one is {self.next_round_number()}.")
            if not self.round_file(plan.number).exists():
                raise ProjectError(f"The model of round {plan.number} is not at {self.round_file(plan.number)}.")
            self._write_plan(self._plan.replace(rounds=(*self._plan.rounds, plan)))

    def update_round(self, plan: RoundPlan) -> None:
        """Change what is known of a round, such as its name."""
        with self._changing("project.json"):
            self._round(plan.number)
            rounds = tuple(plan if entry.number == plan.number else entry for entry in self._plan.rounds)
            self._write_plan(self._plan.replace(rounds=rounds))

    def delete_round(self, number: int) -> None:
        """Take a round out; its model goes to the folder ``trash``."""
        with self._changing("project.json"):
            self._round(number)
            file = self.round_file(number)
            rounds = tuple(entry for entry in self._plan.rounds if entry.number != number)
            self._delete([file] if file.exists() else [], rounds=rounds)

    def find_image(self) -> Path | None:
        """Return where the image lies: where it last was, or else at the same place as seen from the project.

        Whether it is the same image is not checked.
        """
        return find_image(self._plan.image, self.folder)

    def relink(self, path: str | os.PathLike[str]) -> None:
        """Take an image at another place for the project's own.

        Raises
        ------
        ProjectError
            If it is another image. One that the project has no fingerprint of is taken as it is.
        ImageNotFoundError
            If there is nothing at the path.
        """
        self.update(image=relinked(self._plan.image, Path(path).absolute(), self.folder))

    @contextmanager
    def _changing(self, what: str) -> Iterator[None]:
        """One change at a time, and only where it may be made."""
        with self._writing:
            if self.read_only:
                raise ProjectError(f"{what} cannot be changed. {self.read_only_reason}")
            if self._is_closed:
                raise ProjectError(f"{what} cannot be changed: the project {self.folder} is closed; open it again.")
            self._lock.renew()
            yield

    def _write_plan(self, plan: ProjectPlan) -> None:
        write_plan(self._layout, plan)
        self._plan = plan

    def _delete(self, files: list[Path], **changes: Any) -> None:  # Any: the fields of the plan
        """Move files away, then change the plan; nothing of both if that fails."""
        self.next_patch_id()  # remembers the highest
        moved = move_to_trash(self._layout, files)
        try:
            self._write_plan(self._plan.replace(**changes))
        except (ProjectError, PlanError):
            move_back(moved)
            raise

    def _patch(self, patch_id: str) -> PatchPlan:
        for patch in self._plan.patches:
            if patch.id == patch_id:
                return patch
        raise ProjectError(f"There is no patch {patch_id!r} in the project; it has {len(self._plan.patches)} others.")

    def _round(self, number: int) -> RoundPlan:
        for entry in self._plan.rounds:
            if entry.number == number:
                return entry
        raise ProjectError(f"There is no round {number} in the project.")


def _where_else(path: Path) -> str:
    """Say which project is meant, if the path is that of an image with one beside it."""
    beside = default_folder(path) if path.is_file() else None
    if beside is not None and Layout(beside).is_project:
        return f"that of the image is {beside}"
    return "choose a folder with a project.json"
