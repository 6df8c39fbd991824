"""What a project holds when it is opened, and what of it is damaged.

Only the holder of the lock puts things in order: sets damaged files aside, ends a deletion that was cut off, takes
patches in again that the list has lost. A reader only reports.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from napari_mouse_seg.errors import ProjectError
from napari_mouse_seg.projects._damage import Damage, DamagedFileError, move, set_aside
from napari_mouse_seg.projects._files import read_paint, read_patch_plan, read_pixels, read_plan, write_plan
from napari_mouse_seg.projects._layout import free_path

if TYPE_CHECKING:
    from pathlib import Path

    from napari_mouse_seg.plans import PatchPlan, ProjectPlan
    from napari_mouse_seg.projects._layout import Layout


class Opening:
    """Reads all of a project once.

    Parameters
    ----------
    layout
        Of the project.
    writable
        Whether this process holds the lock.

    Attributes
    ----------
    plan
        As read, in order.
    damage
        What was found wrong.
    broken
        Ids of patches that cannot be used.
    unpainted
        Ids of patches whose paint is lost or damaged, and starts anew.

    Raises
    ------
    ProjectError
        If there is no project, or neither its list nor the backup can be read.
    """

    def __init__(self, layout: Layout, writable: bool) -> None:
        self._layout = layout
        self._writable = writable
        self.damage: list[Damage] = []
        self.broken: set[str] = set()
        self.unpainted: set[str] = set()
        if writable:
            layout.remove_unfinished()
        stored = self._read_plan()
        self.plan = self._in_order(stored)
        for patch in self.plan.patches:
            self._check_patch(patch)
        self._check_rounds()
        if writable and (self.plan != stored or not layout.plan_file.exists()):
            with suppress(ProjectError):  # a full disk: the next change says so
                write_plan(layout, self.plan)

    def _read_plan(self) -> ProjectPlan:
        """Read the list of everything, or its backup."""
        if not self._layout.is_project:
            raise ProjectError(f"There is no project in {self._layout.folder}; choose a folder with a project.json.")
        file, backup = self._layout.plan_file, self._layout.backup_file
        try:
            if file.exists():
                return read_plan(file)
            fault: ProjectError = DamagedFileError(f"{file.name} is missing")
        except DamagedFileError as error:
            fault = error
        try:
            plan = read_plan(backup)
        except ProjectError as error:
            raise ProjectError(
                f"The project in {self._layout.folder} cannot be opened: {fault}, and {str(error).rstrip('.')}. "
                "Patches and paint are untouched; put back a copy of project.json."
            ) from fault
        self._report(file, f"{fault}; its backup is used instead", must=True)
        return plan

    def _in_order(self, plan: ProjectPlan) -> ProjectPlan:
        """Drop what lies in the trash, and add patches that are there but not listed."""
        layout = self._layout
        gone = {p.id for p in plan.patches if self._is_deleted(layout.image_file(p.id))}
        rounds = tuple(r for r in plan.rounds if not self._is_deleted(layout.round_file(r.number)))
        patches = tuple(patch for patch in plan.patches if patch.id not in gone)
        if self._writable:
            for patch_id in gone:
                with suppress(ProjectError):  # tried again the next time
                    move_to_trash(layout, layout.patch_files(patch_id))
            patches += self._unlisted({patch.id for patch in plan.patches})
        return plan.replace(patches=patches, rounds=rounds)

    def _is_deleted(self, path: Path) -> bool:
        return not path.exists() and (self._layout.trash / path.name).exists()

    def _unlisted(self, listed: set[str]) -> tuple[PatchPlan, ...]:
        """Patches whose pixels are there, as after a process was killed while adding them."""
        found = []
        for patch_id in self._layout.image_ids():
            path = self._layout.image_file(patch_id)
            if patch_id in listed:
                continue
            try:
                patch = read_patch_plan(path)
            except ProjectError as error:
                self.damage.append(Damage(path, None, f"{error}; the project does not list it, so it is left alone."))
                continue
            if patch.id != patch_id:
                continue
            found.append(patch)
            self.damage.append(Damage(path, None, f"Patch {patch_id} was missing from the list and is back in it."))
        return tuple(found)

    def _check_patch(self, patch: PatchPlan) -> None:
        """Read pixels and paint once, and say what is wrong with them."""
        pixels, paint = self._layout.image_file(patch.id), self._layout.paint_file(patch.id)
        if not pixels.exists():
            self.broken.add(patch.id)
            self._report(pixels, f"The pixels of patch {patch.id} are missing; the patch is left out")
            return
        try:
            read_pixels(pixels, patch)
        except ProjectError as error:
            self.broken.add(patch.id)
            self._report(pixels, f"{error}; patch {patch.id} is left out", error)
            return
        try:
            read_paint(paint, patch)
        except DamagedFileError as error:
            is_safe = self._report(paint, f"{error}; patch {patch.id} starts without paint", error)
            (self.unpainted if is_safe else self.broken).add(patch.id)
        except ProjectError as error:
            if not paint.exists():
                self.unpainted.add(patch.id)
                self._report(paint, f"The paint of patch {patch.id} is missing; it starts without paint")
                return
            self.broken.add(patch.id)
            self._report(paint, f"{error} Patch {patch.id} is left out")

    def _check_rounds(self) -> None:
        for entry in self.plan.rounds:
            path = self._layout.round_file(entry.number)
            if not path.exists():
                self._report(path, f"The model of round {entry.number} ({entry.name}) is missing; put {path.name} back")

    def _report(self, path: Path, message: str, error: ProjectError | None = None, *, must: bool = False) -> bool:
        """Note a fault and set the file aside if its content is at fault; return whether nothing can overwrite it."""
        is_damaged = path.exists() and (must or isinstance(error, DamagedFileError))
        if not (is_damaged and self._writable):
            self.damage.append(Damage(path, None, f"{message}."))
            return True
        try:
            new_place = set_aside(path)
        except ProjectError:
            if must:
                raise
            self.damage.append(Damage(path, None, f"{message}."))
            return False
        self.damage.append(Damage(path, new_place, f"{message}. The damaged file is kept as {new_place.name}."))
        return True


def move_to_trash(layout: Layout, files: list[Path]) -> list[tuple[Path, Path]]:
    """Move files to the trash, all or none; return their old and new places.

    Raises
    ------
    ProjectError
        If one cannot be moved; the others then are where they were.
    """
    moved: list[tuple[Path, Path]] = []
    try:
        for file in files:
            target = free_path(layout.trash, file.name)
            move(file, target)
            moved.append((file, target))
    except ProjectError:
        move_back(moved)
        raise
    return moved


def move_back(moved: list[tuple[Path, Path]]) -> None:
    """Undo :func:`move_to_trash`, as far as the disk lets."""
    for file, target in reversed(moved):
        with suppress(ProjectError):
            move(target, file)
