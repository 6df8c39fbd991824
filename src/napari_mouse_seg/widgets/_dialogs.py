"""Short questions to the user, each in one place so that tests can answer them."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget


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
