"""``mouse-seg models``: what models there are, and what they say of themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from napari_mouse_seg.cli._console import Console
    from napari_mouse_seg.networks import Model


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the two actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|info")
    actions.add_parser("list", help="names and one line each")
    info = actions.add_parser("info", help="the whole card")
    info.add_argument("name", metavar="NAME|FILE")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the list or a card."""
    from napari_mouse_seg.networks import find_model, list_models

    if arguments.action == "info":
        _print_card(find_model(arguments.name), console)
        return 0
    models = list_models()
    width = max((len(model.card.name) for model in models), default=0)
    for model in models:
        console.out(f"{model.card.name.ljust(width)}  {model.card.summary}")
    if not models:
        console.out("No model is bundled with this installation; give a file with --model FILE.")
    return 0


def _print_card(model: Model, console: Console) -> None:
    """One line a field, under the title that the card's plan gives it."""
    rows = [
        (info.title or name.replace("_", " ").capitalize(), getattr(model.card, name))
        for name, info in type(model.card).model_fields.items()
    ]
    size_mb = f"{model.path.stat().st_size / 1e6:.1f}"
    rows += [("File", str(model.path)), ("Size (MB)", size_mb), ("SHA-256", model.sha256)]
    width = max(len(title) for title, _ in rows)
    for title, value in rows:
        first, *others = _lines(value) or ["-"]
        console.out(f"{title.ljust(width)}  {first}")
        for line in others:
            console.out(" " * (width + 2) + line)


def _lines(value: Any) -> list[str]:  # Any: every type that a card's field has
    """Value as lines of text; empty when there is none."""
    if value is None or value == "":
        return []
    if isinstance(value, tuple):
        return [str(part) for part in value]
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    if isinstance(value, dict):
        return [f"{key}: {part if isinstance(part, str) else json.dumps(part)}" for key, part in value.items()]
    return [str(value)]
