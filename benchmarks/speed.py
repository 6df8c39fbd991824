"""Speed and memory of the engine on mosaics of real BBBC039 fields.

    python benchmarks/speed.py [view] [full] [objects] [memory] [import]

Every figure is a median or says how often it was taken; ratios come from one run.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import tifffile
from _data import bbbc039_mosaic

from napari_mouse_seg import Box, ScoreCache, SegmentPlan, find_model, open_image, resolve
from napari_mouse_seg.events import Finished
from napari_mouse_seg.instances import decode
from napari_mouse_seg.pipeline import SegmentResult, segment
from napari_mouse_seg.tiling import SCORE_ONE


def write_pyramid(path: Path, side: int) -> None:
    """Write a mosaic as a tiled pyramidal OME-TIFF."""
    level = bbbc039_mosaic((side, side))
    options = {"tile": (512, 512), "compression": "zlib", "photometric": "minisblack"}
    with tifffile.TiffWriter(path, ome=True, bigtiff=True) as writer:
        writer.write(level, subifds=3, metadata={"axes": "YX"}, **options)
        for _ in range(3):
            level = level.reshape(level.shape[0] // 2, 2, level.shape[1] // 2, 2).mean((1, 3)).astype(np.uint16)
            writer.write(level, subfiletype=1, **options)


def run(path: Path, region: Box | None = None, cache: ScoreCache | None = None) -> tuple[float, SegmentResult]:
    """Segment once; return seconds and result."""
    job = resolve(open_image(path), find_model("nuclei-fluorescence"), SegmentPlan(scale=1.0), region)
    started = time.perf_counter()
    for event in segment(job, cache):
        if isinstance(event, Finished):
            return time.perf_counter() - started, event.result
    raise SystemExit("no result")


def bench_view(folder: Path) -> None:
    """Print the time of new 1400 x 900 views of one open image, network loaded."""
    write_pyramid(folder / "view.ome.tif", 4096)
    image = open_image(folder / "view.ome.tif")
    model = find_model("nuclei-fluorescence")
    rng = np.random.default_rng(0)
    seconds = []
    for number in range(9):
        y, x = rng.integers(0, 4096 - 900), rng.integers(0, 4096 - 1400)
        job = resolve(image, model, SegmentPlan(scale=1.0), Box(int(y), int(x), int(y) + 900, int(x) + 1400))
        cache = ScoreCache(job)
        cache.scorer(job).load()
        started = time.perf_counter()
        for _ in segment(job, cache):
            pass
        if number:  # The first compiles and reads statistics.
            seconds.append(time.perf_counter() - started)
    print(
        f"view 1400 x 900, network loaded, nothing cached: median {statistics.median(seconds):.2f} s, "
        f"{min(seconds):.2f} to {max(seconds):.2f} s over {len(seconds)} places"
    )


def forward_seconds(path: Path) -> tuple[float, int]:
    """Time of the network alone on the tiles of the full image, batched as in a run."""
    job = resolve(open_image(path), find_model("nuclei-fluorescence"), SegmentPlan(scale=1.0))
    scorer = ScoreCache(job).scorer(job)
    runner = scorer.load()
    shapes = Counter(tile.read.shape for tile in job.grid.tiles())
    batches = []
    for shape, count in shapes.items():
        pixels = np.random.default_rng(0).random((scorer.batch_size, 1, *shape), dtype=np.float32)
        batches += [pixels[: count - first] for first in range(0, count, scorer.batch_size)]
    runner.run(batches[0])
    started = time.perf_counter()
    for batch in batches:
        runner.run(batch)
    return time.perf_counter() - started, sum(batch.size for batch in batches)


def bench_full(folder: Path) -> None:
    """Print the time of whole images against the network's passes alone."""
    for side, repeats in ((2048, 3), (8192, 3)):
        path = folder / f"full{side}.ome.tif"
        write_pyramid(path, side)
        run(path, Box(0, 0, 64, 64))
        ratios = []
        for _ in range(repeats):
            network, pixels = forward_seconds(path)
            seconds, result = run(path)
            ratios.append(seconds / network)
            stages = ", ".join(f"{name} {value:.1f} s" for name, value in result.timings.items())
            print(
                f"full {side} x {side}: {seconds:.1f} s ({stages}), network alone {network:.1f} s on "
                f"{pixels / 1e6:.0f} Mpx of tiles ({pixels / network / 1e6:.2f} Mpx/s), {result.n_objects} objects"
            )
        print(f"full {side} x {side}: {statistics.median(ratios):.2f} x the network alone (median of {repeats})")


_MEMORY = """
import sys, threading, time, psutil
from napari_mouse_seg import SegmentPlan, segment
import torch, numba, scipy.ndimage, segmentation_models_pytorch, tifffile
process = psutil.Process(); idle = process.memory_info().rss; peak = idle; going = True
def watch():
    global peak
    while going:
        peak = max(peak, process.memory_info().rss); time.sleep(0.02)
thread = threading.Thread(target=watch); thread.start()
found = segment(sys.argv[1], plan=SegmentPlan(scale=1.0)); going = False; thread.join()
print(f"{(peak - idle) / 1e9:.2f} GB over the idle process ({idle / 1e9:.2f} GB), {found.n_objects} objects")
"""


def bench_memory(folder: Path) -> None:
    """Print the peak memory of an 8192 x 8192 run in a process of its own."""
    path = folder / "full8192.ome.tif"
    if not path.exists():
        write_pyramid(path, 8192)
    done = subprocess.run([sys.executable, "-c", _MEMORY, str(path)], check=True, capture_output=True, text=True)
    print("memory, 8192 x 8192:", done.stdout.strip())


def bench_objects(folder: Path) -> None:
    """Print the speed of the instance step on one core, scores known, beside scikit-image's watershed alone."""
    from skimage.segmentation import watershed

    path = folder / "objects.tif"
    tifffile.imwrite(path, bbbc039_mosaic((2048, 2048)))
    job = resolve(open_image(path), find_model("nuclei-fluorescence"), SegmentPlan(scale=1.0))
    cache = ScoreCache(job)
    labels = next(event.result for event in segment(job, cache) if isinstance(event, Finished)).labels
    scores = cache.scorer(job).store.read(job.bounds)
    mask = scores[0] > job.instances.foreground_threshold * SCORE_ONE
    markers, height = np.where(scores[2] > SCORE_ONE * 0.9, labels, 0).astype(np.int32), -scores[2].astype(np.float32)
    seconds: dict[str, list[float]] = {"objects": [], "watershed alone": []}
    for _ in range(5):
        for name, action in (
            ("objects", lambda: decode(scores, job.instances, workers=1)),
            ("watershed alone", lambda: watershed(height, markers, mask=mask)),
        ):
            started = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - started)
    ours, theirs = (labels.size / 1e6 / statistics.median(seconds[name]) for name in seconds)
    print(
        f"objects at 2048², {labels.max()} nuclei, one thread: {ours:.1f} Mpx/s from scores to labels, median of 5; "
        f"scikit-image's watershed alone, markers given: {theirs:.1f} Mpx/s"
    )


def bench_import(_folder: Path) -> None:
    """Print the time to import the package, less the interpreter's own start, medians of 15."""

    def seconds(code: str) -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - started

    both = [(seconds("import napari_mouse_seg"), seconds("pass")) for _ in range(15)]
    took = statistics.median(one - other for one, other in both)
    print(f"import napari_mouse_seg: {took * 1000:.0f} ms more than an empty interpreter (median of 15)")


def main() -> None:
    benches = {
        "import": bench_import,
        "view": bench_view,
        "full": bench_full,
        "objects": bench_objects,
        "memory": bench_memory,
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="*", choices=benches, default=list(benches))
    arguments = parser.parse_args()
    print(f"{psutil.cpu_count()} cores, {threading.active_count()} thread at start")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.which:
            benches[name](Path(folder))


if __name__ == "__main__":
    main()
