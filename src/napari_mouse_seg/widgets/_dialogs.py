"""Short questions to the user, each in one place so that tests can answer them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

if TYPE_CHECKING:
    from collections.abc import Mapping


def confirm(parent: QWidget, text: str, action: str) -> bool:
    """Ask before something is taken away; the button that does it bears the action's name, and is not the default."""
    box = QMessageBox(QMessageBox.Icon.Question, action, text, QMessageBox.StandardButton.Cancel, parent)
    doing = box.addButton(action, QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    agreed = box.clickedButton() is doing
    box.deleteLater()
    return agreed


def ask_name(parent: QWidget, title: str, name: str) -> str:
    """Ask for a name; empty if the user wants none."""
    given, agreed = QInputDialog.getText(parent, title, "Name", text=name)
    return str(given).strip() if agreed else ""


def ask_folder(parent: QWidget, title: str) -> Path | None:
    """Ask for a folder that exists; None if the user wants none."""
    folder = QFileDialog.getExistingDirectory(parent, title)
    return Path(folder) if folder else None


def ask_file(parent: QWidget, title: str, kind: str, ending: str) -> Path | None:
    """Ask for a file that exists; None if the user wants none."""
    file, _ = QFileDialog.getOpenFileName(parent, title, "", f"{kind} (*{ending})")
    return Path(file) if file else None


def ask_new_file(parent: QWidget, title: str, suggested: Path, kinds: Mapping[str, str]) -> Path | None:
    """Ask for a file to write; what is there already is replaced only if the user agrees.

    Parameters
    ----------
    parent
        Over which the question is shown.
    title
        Of the question.
    suggested
        What is written if the user changes nothing; it has the first ending.
    kinds
        Endings by what they mean. A name with another ending gets that of the chosen kind.

    Returns
    -------
    Path or None
        None if the user wants none.
    """
    # Dialogs know endings with one dot only.
    last = {ending: "." + ending.rpartition(".")[2] for ending in kinds.values()}
    filters = {f"{kind} (*{last[ending]})": ending for kind, ending in kinds.items()}
    given, chosen = QFileDialog.getSaveFileName(parent, title, str(suggested), ";;".join(filters))
    if not given:
        return None
    path = Path(given)
    if any(path.name.lower().endswith(ending) for ending in kinds.values()):
        return path
    suffix = path.suffix.lower().replace(".tiff", ".tif")
    cut = next((ending for ending, end in last.items() if suffix == end), "")
    stem = path.stem if cut else path.name
    first = next((ending for ending in kinds.values() if suggested.name.endswith(ending)), suggested.suffix)
    path = path.with_name(stem + (cut or filters.get(chosen, first)))
    if path.exists() and not confirm(parent, f"{path.name} exists already in {path.parent}.", "Replace"):
        return None
    return path
