"""Records test/golden/resample: pictures resized by Pillow, by clean-fid's way of calling it, and by TensorFlow 1's rule.

    python test/golden/record/resample.py          (needs numpy, Pillow, torch, safetensors)
"""
import json
from pathlib import Path

import numpy as np
import PIL
import torch
from PIL import Image
from safetensors.numpy import save_file

out = Path(__file__).parents[1] / "resample"
out.mkdir(exist_ok=True)
random = np.random.default_rng(20231128)
arrays = {}
# Larger, smaller, much smaller, and one side kept.
sizes = [(7, 9, 13, 20), (23, 31, 11, 17), (40, 33, 5, 33), (12, 10, 12, 31)]
for k, (height, width, to_height, to_width) in enumerate(sizes):
    picture = random.integers(0, 256, (2, height, width)).astype(np.float32)
    picture[0] = np.where(picture[0] > 127, 255, 0)  # overshoots
    arrays[f"{k}.picture"] = picture
    to = (to_width, to_height)
    planes = [Image.fromarray(plane, mode="F").resize(to, Image.BICUBIC) for plane in picture]
    arrays[f"{k}.bicubic"] = np.stack([np.asarray(plane) for plane in planes])
    planes = [Image.fromarray(plane.astype(np.uint8)).resize(to, Image.BICUBIC) for plane in picture]
    arrays[f"{k}.bicubic-bytes"] = np.stack([np.asarray(plane) for plane in planes]).astype(np.float32)
    x = torch.from_numpy(picture)[None].double()  # in float32, PyTorch rounds the positions
    linear = torch.nn.functional.interpolate(x, size=(to_height, to_width), mode="bilinear", align_corners=False)
    arrays[f"{k}.bilinear"] = linear[0].float().numpy()
    # The corner rule as an affine sampling grid: pixel i of n comes from i * old / n.
    theta = torch.eye(2, 3, dtype=torch.float64)
    theta[0, 2] = 1 / width - 1 / to_width
    theta[1, 2] = 1 / height - 1 / to_height
    grid = torch.nn.functional.affine_grid(theta[None], [1, 2, to_height, to_width], align_corners=False)
    corner = torch.nn.functional.grid_sample(
        x, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    arrays[f"{k}.bilinear-corner"] = corner[0].float().numpy()
save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, out / "io.safetensors")
(out / "versions.json").write_text(json.dumps({"pillow": PIL.__version__, "torch": torch.__version__}) + "\n")
