"""Records test/golden/precision-recall: precision and recall of small sets, computed by brute force in float64.

    python test/golden/record/precision_recall.py          (needs numpy, safetensors)
"""
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

out = Path(__file__).parents[1] / "precision-recall"
out.mkdir(exist_ok=True)
random = np.random.default_rng(19)


def radii(points, k):
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    return np.sort(distances, axis=1)[:, k]  # the nearest is the point itself


def share_within(points, balls, k):
    distances = np.linalg.norm(points[:, None] - balls[None], axis=-1)
    return float((distances <= radii(balls, k)[None]).any(axis=1).mean())


def normal(count, dims, at=0.0, spread=1.0):
    return (at + spread * random.standard_normal((count, dims))).astype(np.float32)


sets = {
    "alike": (normal(150, 4), normal(130, 4), 3),
    "narrow": (normal(120, 6), normal(90, 6, spread=0.3), 3),
    "shifted far from zero": (normal(80, 3, at=500), normal(110, 3, at=501), 3),
    "apart": (normal(40, 5), normal(30, 5, at=40), 3),
    "one of two modes": (np.concatenate([normal(60, 2), normal(60, 2, at=30)]), normal(70, 2), 3),
    "nearest neighbour": (normal(60, 3), normal(70, 3, spread=1.5), 1),
    "ten neighbours": (normal(60, 3), normal(70, 3, spread=1.5), 10),
}
arrays, expected = {}, {}
for name, (real, generated, k) in sets.items():
    arrays[f"{name}.real"], arrays[f"{name}.generated"] = real, generated
    a, b = real.astype(np.float64), generated.astype(np.float64)
    expected[name] = {"k": k, "precision": share_within(b, a, k), "recall": share_within(a, b, k)}
save_file(arrays, out / "io.safetensors")
(out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
