"""Parser, dispatch, exit codes; each command's own imports happen when it runs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from napari_mouse_seg.cli import _demo, _doctor, _evaluate, _models, _segment, _train
from napari_mouse_seg.cli._console import Console, make_streams_safe, quieten_libraries
from napari_mouse_seg.cli._interrupt import hearing_interrupts
from napari_mouse_seg.errors import MouseSegError, PlanError

if TYPE_CHECKING:
    from collections.abc import Sequence

DONE, FAILED, BAD_USAGE, CANCELLED = 0, 1, 2, 130

_COMMANDS = {
    "segment": (_segment, "find objects in images and write labels"),
    "demo": (_demo, "segment the bundled sample image and show what comes out"),
    "train": (_train, "fine-tune a model on the painted patches of a project"),
    "models": (_models, "list models, or show a model's card"),
    "evaluate": (_evaluate, "score predicted labels against true ones"),
    "doctor": (_doctor, "check versions, devices, OpenGL and Qt, memory and disk"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; see ``cli.main``."""
    make_streams_safe()
    parser = build_parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:  # argparse has printed the reason
        return stop.code if isinstance(stop.code, int) else BAD_USAGE
    console = Console(arguments.debug)
    if not arguments.debug:
        quieten_libraries()
    try:
        with hearing_interrupts():
            code: int = _COMMANDS[arguments.command][0].run(arguments, console)
    except KeyboardInterrupt:
        console.error("Cancelled; results that were finished are kept.")
        return CANCELLED
    except PlanError as error:
        console.error(str(error), error)
        return BAD_USAGE
    except MouseSegError as error:
        console.error(str(error), error)
        return FAILED
    except Exception as error:  # noqa: BLE001 (run boundary: words, not a traceback)
        console.error(f"Unexpected {type(error).__name__}: {error}. Run with --debug and report it.", error)
        return FAILED
    if console.lost:
        console.error(f"What was to be printed could not be written: {console.lost}.")
        return code or FAILED
    return code


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = _Parser(prog="mouse-seg", description="Segment objects in large microscopy images.")
    parser.set_defaults(debug=False)
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and stop")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, text) in _COMMANDS.items():
        module.add_parser(commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}."))
    return parser


class _Parser(argparse.ArgumentParser):
    """Takes ``--debug`` at every place of the command line: parsers of commands are of their parent's class."""

    def __init__(self, **options: Any) -> None:  # Any: argparse's own.
        super().__init__(**options)
        # Without a default, so that a command leaves alone what was said before it.
        self.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of errors"
        )


class _Version(argparse.Action):
    """Looks the version up only when asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from napari_mouse_seg.export import versions

        Console().out(f"mouse-seg {versions()['napari-mouse-seg']}")
        parser.exit()
