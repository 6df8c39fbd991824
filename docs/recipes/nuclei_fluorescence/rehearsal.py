"""Cut the samples that fine-tuning mixes in so that the fluorescence model is not forgotten.

    python docs/recipes/nuclei_fluorescence/rehearsal.py --data ../shared/data OUTPUT.npz

24 crops of 256 x 256 px of the model's own training images (CC0), evenly from BBBC039 and from DSB2018's fields of
large and of small nuclei.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import tifffile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from nuclei_data import fluorescence_files, read_grey, size_group
from train import INTENSITY

from napari_mouse_seg.images import intensity_range, stretch
from napari_mouse_seg.training import save_rehearsal

SIDE_PX = 256
PER_GROUP = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with bbbc039/ and dsb2018/")
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    files = fluorescence_files(arguments.data)
    taken: dict[str, int] = {}
    pixels, instances = [], []
    for index in rng.permutation(len(files)):
        source, image_path, labels_path = files[index]
        labels = tifffile.imread(labels_path).astype(np.int32)
        group = size_group(source, labels)
        if taken.get(group, 0) == PER_GROUP or min(labels.shape) < SIDE_PX:
            continue
        grey = read_grey(image_path)
        y, x = (int(rng.integers(size - SIDE_PX + 1)) for size in labels.shape)
        box = np.s_[y : y + SIDE_PX, x : x + SIDE_PX]
        if len(np.unique(labels[box])) < 4:
            continue
        taken[group] = taken.get(group, 0) + 1
        pixels.append(stretch(grey, intensity_range(grey, INTENSITY), INTENSITY)[box][None])
        instances.append(np.unique(labels[box], return_inverse=True)[1].reshape(SIDE_PX, SIDE_PX).astype(np.uint16))
    save_rehearsal(arguments.output, np.stack(pixels), np.stack(instances))
    print(f"{len(pixels)} samples {taken}, {arguments.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
