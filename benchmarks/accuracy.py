"""F1 of the bundled model on the BBBC039 validation images.

    python benchmarks/accuracy.py [--model NAME|FILE] [--json FILE]

Every image goes through the same ``segment`` as in the panel and on the command line.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import tifffile
from _data import bbbc039_stems, data_dir

from napari_mouse_seg import SegmentPlan, find_model, instance_scores, segment
from napari_mouse_seg.metrics import IOU_NINE, IOU_TEN


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="nuclei-fluorescence")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    model = find_model(arguments.model)
    folder = data_dir() / "bbbc039"
    tables: dict[int, list[np.ndarray]] = {0: [], 25: []}
    for stem in bbbc039_stems("validation"):
        truth = tifffile.imread(folder / "labels" / f"{stem}.tif")
        found = segment(folder / "images" / f"{stem}.tif", model, SegmentPlan(scale=1.0))
        for smallest, rows in tables.items():
            rows.append(np.asarray(instance_scores(found.labels, truth, min_area_px=smallest).f1))
    out = {}
    for smallest, rows in tables.items():
        f1 = np.array(rows)
        nine = len(IOU_NINE)
        name = "all objects" if smallest == 0 else f"without objects under {smallest} px"
        out[f"BBBC039 validation, {name}"] = {
            "f1_at_50": round(float(f1[:, 0].mean()), 4),
            "mean_f1_ten_thresholds": round(float(f1.mean()), 4),
            "mean_f1_nine_thresholds": round(float(f1[:, :nine].mean()), 4),
            "f1_by_threshold": [round(float(value), 3) for value in f1.mean(0)],
        }
    print(f"{model.card.name} {model.sha256[:12]}, {len(tables[0])} images, mean of the images' F1")
    print("IoU", *(f"{threshold:.2f}" for threshold in IOU_TEN))
    for name, scores in out.items():
        print(name, scores)
    if arguments.json:
        arguments.json.write_text(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
