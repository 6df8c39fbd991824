"""What the recipes of the nuclei models share: their start, runs that go on when interrupted, the best weights."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_mouse_seg import instance_scores
from napari_mouse_seg.images import compress, intensity_range, stretch
from napari_mouse_seg.inference import flipped, mean_over_flips
from napari_mouse_seg.instances import decode
from napari_mouse_seg.networks import build_network, find_model
from napari_mouse_seg.plans import InstancesPlan
from napari_mouse_seg.tiling import SCORE_ONE
from napari_mouse_seg.training import PatchSampler, predict_scores, train

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from napari_mouse_seg.networks import ArchitecturePlan, CompactPlan
    from napari_mouse_seg.plans import IntensityPlan, TrainingPlan
    from napari_mouse_seg.training import TrainingImage

VALIDATE_EVERY = 500


class Best:
    """The averaged weights whose instances were best on validation images, kept in a file.

    Parameters
    ----------
    path
        Checkpoint to write.
    network
        Of the architecture in training; the averaged weights are loaded into it.
    intensity
        Of the model.
    images
        Pixels and labels, grey (Y, X) or RGB (Y, X, 3); never trained on.
    """

    def __init__(
        self,
        path: Path,
        network: nn.Module,
        intensity: IntensityPlan,
        images: Sequence[tuple[NDArray[Any], NDArray[np.int32]]],
    ) -> None:
        self._path = path
        self._note = path.with_suffix(".json")
        self._network = network.eval()
        self._truth = [labels for _, labels in images]
        self._images = [compress(self._stretch(pixels, intensity), intensity) for pixels, _ in images]

    def offer(self, checkpoint: Path) -> float:
        """Return the mean F1 over images and the ten thresholds 0.50 to 0.95; keep the weights if none were better."""
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
        self._network.load_state_dict(averaged(saved))
        f1 = float(np.mean([self._score(*pair) for pair in zip(self._images, self._truth, strict=True)]))
        best = json.loads(self._note.read_text())["f1"] if self._note.exists() else 0.0
        if f1 >= best:
            part = self._path.with_suffix(".part")
            torch.save({"average": saved["average"]}, part)
            os.replace(part, self._path)
            self._note.write_text(json.dumps({"f1": f1, "steps": saved["steps"]}))
        return f1

    def _score(self, image: NDArray[np.float32], truth: NDArray[np.int32]) -> float:
        found = decode(predict_scores(self._network, image), InstancesPlan()).labels
        return float(np.mean(instance_scores(found.astype(np.int32), truth).f1))

    @staticmethod
    def _stretch(pixels: NDArray[Any], intensity: IntensityPlan) -> NDArray[np.float32]:
        planes = np.moveaxis(pixels, -1, 0) if pixels.ndim == 3 else pixels
        stretched = stretch(planes, intensity_range(planes, intensity), intensity)
        return stretched if pixels.ndim == 3 else stretched[None]


def averaged(saved: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Return the averaged weights of a checkpoint; AveragedModel keeps them under a prefix."""
    return {key.removeprefix("module."): value for key, value in saved["average"].items() if key != "n_averaged"}


def load_start(network: nn.Module, names: Sequence[str]) -> None:
    """Load the mean of the weights of bundled models or model files (Wortsman et al. 2022).

    A stem for RGB takes a third of the weights for grey a channel.
    """
    weights = mean_weights([find_model(name).network().state_dict() for name in names])
    for key, value in network.state_dict().items():
        if weights[key].shape != value.shape:
            weights[key] = weights[key].expand_as(value) / value.shape[1]
    network.load_state_dict(weights)


def mean_weights(states: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the mean of each weight; integers are those of the first."""
    return {
        key: torch.stack([state[key] for state in states]).mean(0) if value.is_floating_point() else value
        for key, value in states[0].items()
    }


def soften(image: TrainingImage, teachers: Sequence[nn.Module], intensity: IntensityPlan) -> TrainingImage:
    """Return an image whose targets lie halfway between its labels and what teachers say (Hinton et al. 2015).

    What they say is the mean over all ways to turn and mirror the image, which is better than any one network in one
    pass; the student is to say as much at once.
    """
    ways = flipped(compress(image.stretched.astype(np.float32), intensity)[None])
    said = [
        mean_over_flips(*(np.stack([predict_scores(teacher, x) for x in part]).astype(np.float32) for part in ways))[0]
        for teacher in teachers
    ]
    maps = image.maps.copy()
    maps[:3] = np.round((maps[:3] + np.mean(said, 0) * (255 / SCORE_ONE)) / 2)
    return dataclasses.replace(image, maps=maps)


def run(
    description: str | None,
    plan: TrainingPlan,
    architecture: ArchitecturePlan | CompactPlan,
    intensity: IntensityPlan,
    load_images: Callable[[Path, TrainingPlan], list[TrainingImage]],
    start: str | None = None,
    load_validation: Callable[[Path], list[tuple[NDArray[Any], NDArray[np.int32]]]] | None = None,
) -> None:
    """Parse the command line and train; ``checkpoint.pt`` and ``network.pt``, the averaged weights, go into ``--work``.

    ``start`` is what ``--start`` is if it is not given: a model whose weights are the start, or None for random ones.
    Of several models it is the mean. With teachers, targets are softened by what those say. With validation images
    ``best.pt`` is kept too.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help="folder with bbbc039/ and dsb2018/")
    parser.add_argument("--work", type=Path, required=True, help="checkpoint folder")
    parser.add_argument("--steps", type=int, default=plan.steps)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    first = [] if start is None else [start]
    parser.add_argument("--start", nargs="+", default=first, metavar="NAME|FILE", help="models to start from")
    parser.add_argument("--teachers", nargs="+", default=[], metavar="NAME|FILE", help="models to learn from")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    plan = plan.model_copy(update={"steps": arguments.steps})
    arguments.work.mkdir(parents=True, exist_ok=True)
    network = build_network(architecture)
    if arguments.start:
        load_start(network, arguments.start)
    images = load_images(arguments.data, plan)
    print(f"{len(images)} images", flush=True)
    teachers = [find_model(name).network().eval() for name in arguments.teachers]
    if teachers:
        images = [soften(image, teachers, intensity) for image in images]
    best = None
    if load_validation is not None:
        best = Best(arguments.work / "best.pt", build_network(architecture), intensity, load_validation(arguments.data))
    start = time.monotonic()
    sampler = PatchSampler(images, plan, intensity)
    for event in train(network, sampler, plan, arguments.work / "checkpoint.pt", device=arguments.device):
        minutes = (time.monotonic() - start) / 60
        print(f"{event.steps}/{event.total} loss {event.loss:.4f} {minutes:.1f} min", flush=True)
        if best is not None and (event.steps % VALIDATE_EVERY == 0 or event.steps == event.total):
            f1 = best.offer(arguments.work / "checkpoint.pt")
            print(f"validation F1, mean over ten thresholds: {f1:.4f}", flush=True)
    torch.save(network.state_dict(), arguments.work / "network.pt")
