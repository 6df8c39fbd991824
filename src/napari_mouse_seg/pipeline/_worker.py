"""The program of a training process: ``python -m napari_mouse_seg.pipeline._worker FOLDER PLAN``.

Events go to standard output as lines of JSON, orders (``pause``, ``resume``, ``stop``) come as lines of standard
input; when that ends, the viewer is gone, and so is this process.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import TextIO

from napari_mouse_seg.errors import MouseSegError
from napari_mouse_seg.pipeline._process import Orders, encode
from napari_mouse_seg.plans import RetrainPlan

_NICE = 10


def main() -> None:
    """Train one round of a project and tell of it."""
    # Whatever a library prints must not get among the events.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    orders = Orders()
    # On Windows libraries may wait, while they are loaded, for whoever reads from standard input.
    lines = os.fdopen(os.dup(sys.stdin.fileno()), encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    threading.Thread(target=_listen, args=(orders, lines), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(_NICE)
    try:
        _train(Path(sys.argv[1]), RetrainPlan.model_validate_json(sys.argv[2]), orders, out)
    except MouseSegError as error:
        _send(out, {"event": "Failed", "message": str(error)})
        sys.exit(1)
    except Exception as error:
        # Some errors of GPUs have many lines, of which the first tells what is wrong.
        first = str(error).strip().partition("\n")[0]
        message = f"The training failed unexpectedly ({type(error).__name__}: {first}). Viewer and paint are untouched."
        _send(out, {"event": "Failed", "message": message})
        raise


def _train(folder: Path, plan: RetrainPlan, orders: Orders, out: TextIO) -> None:
    from napari_mouse_seg.pipeline._retrain import retrain
    from napari_mouse_seg.pipeline._retrain_job import resolve_retrain
    from napari_mouse_seg.projects import Project

    with Project.open(folder) as project:  # Read-only: the viewer holds the lock.
        job = resolve_retrain(project, plan)
    for event in retrain(job, orders, plan.threads or _spare_threads()):
        _send(out, encode(event))


def _send(out: TextIO, message: dict[str, object]) -> None:
    out.write(json.dumps(message) + "\n")
    out.flush()


def _listen(orders: Orders, lines: TextIO) -> None:
    for line in lines:
        getattr(orders, line.strip(), lambda: None)()
    os._exit(1)  # The other end is gone; nobody waits for a result.


def _spare_threads() -> int:
    """All cores but one, which is the viewer's."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores - 1)


if __name__ == "__main__":
    main()
