"""How far instances depend on the tile size with the model's default halo, on a mosaic of real fields.

python benchmarks/tile_sizes.py [--model NAME|FILE] [--halo PX]
"""

from __future__ import annotations

import argparse

from _data import bbbc039_mosaic

from napari_mouse_seg import SegmentPlan, find_model, from_arrays, instance_scores, segment


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="nuclei-fluorescence")
    parser.add_argument("--halo", type=int, help="in place of the model's own")
    arguments = parser.parse_args()
    model = find_model(arguments.model)
    image = from_arrays([bbbc039_mosaic((1560, 2088))], axes="YX", name="mosaic")
    halo_px = model.card.halo_px if arguments.halo is None else arguments.halo
    sizes = (128, 256, 320, 512, 1024)
    labels = {
        core: segment(image, model, SegmentPlan(scale=1.0, core_px=core, halo_px=halo_px)).labels for core in sizes
    }
    print(f"1560 x 2088 mosaic of BBBC039 validation fields, halo {halo_px} px; F1 at IoU 0.9 between tile sizes")
    for core in sizes[:-1]:
        f1 = instance_scores(labels[core], labels[sizes[-1]], thresholds=(0.9,)).f1[0]
        print(f"tile {core} against {sizes[-1]}: {f1:.4f}, {labels[core].max()} and {labels[sizes[-1]].max()} objects")


if __name__ == "__main__":
    main()
