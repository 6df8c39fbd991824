"""How much of the truth a target scheme keeps: labels, encoded, decoded, and compared with themselves.

    python benchmarks/targets.py [--every N] [--workers N] [--markdown FILE]

Data: all of BBBC039, and all fluorescence and all histology images of DSB2018 (training and test: nothing is learnt
here). Figures are the mean over images of the mean F1 over the ten IoU thresholds 0.50 to 0.95. The decoder has its
defaults, but drops and fills nothing: minimum area 1 px, no holes filled.
"""

from __future__ import annotations

import argparse
import csv
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import tifffile
from _data import bbbc039_stems, data_dir

from napari_mouse_seg import instance_scores
from napari_mouse_seg.instances import decode_scores, encode
from napari_mouse_seg.plans import BoundaryTargets, DistanceTargets, InstancesPlan, TargetsPlan
from napari_mouse_seg.tiling import SCORE_ONE

SCHEMES: dict[str, TargetsPlan] = {
    "distance (default)": DistanceTargets(),
    **{f"boundary, half-width {width}": BoundaryTargets(boundary_half_width_px=width) for width in (1, 2, 3, 4)},
}
INSTANCES = InstancesPlan(min_area_px=1, max_hole_px=0)


def label_files() -> dict[str, list[Path]]:
    """Return the label images of each data set."""
    folder = data_dir()
    stems = [*bbbc039_stems("training"), *bbbc039_stems("validation")]
    files = {"bbbc039": [folder / "bbbc039" / "labels" / f"{stem}.tif" for stem in stems]}
    with (folder / "dsb2018" / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    for modality in ("fluorescence", "histology"):
        names = [row["id"] for row in rows if row["modality"] == modality]
        files[modality] = [folder / "dsb2018" / "labels" / f"{name}.tif" for name in names]
    return files


def fidelity(path: Path, targets: TargetsPlan) -> tuple[float, str]:
    """Return the mean F1 of one image's truth after encoding and decoding, and its name."""
    labels = tifffile.imread(path).astype(np.int32)
    scores = np.rint(encode(labels, targets) * SCORE_ONE).astype(np.uint16)
    found = decode_scores(scores, targets, INSTANCES).labels
    return float(np.mean(instance_scores(found, labels).f1)), path.stem


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="take every n-th image only")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--markdown", type=Path, help="write the table there too")
    arguments = parser.parse_args()
    lines = ["| data | scheme | images | mean F1 (ten) | lowest image |", "|---" * 5 + "|"]
    print("\n".join(lines), flush=True)
    with ProcessPoolExecutor(arguments.workers) as pool:
        for data, files in label_files().items():
            for name, targets in SCHEMES.items():
                found = list(pool.map(partial(fidelity, targets=targets), files[:: arguments.every]))
                lowest, stem = min(found)
                mean = np.mean([score for score, _ in found])
                lines.append(f"| {data} | {name} | {len(found)} | {mean:.4f} | {lowest:.3f} ({stem[:24]}) |")
                print(lines[-1], flush=True)
    if arguments.markdown:
        arguments.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
