"""Checks that diffusers loads a model folder written by this project, and draws with it what it draws with the original.

    node --import ./test/sources.mjs test/golden/record/write-folder.mjs OUT     (reads test/golden/tiny-diffusion/model)
    python test/golden/record/written_folder.py OUT                          (needs torch, diffusers, transformers)

Prints the largest difference of the latents for the float32 and the float16 copy, and exits with 1 when one is too large.
"""
import pathlib
import sys

import torch
from diffusers import StableDiffusionPipeline

here = pathlib.Path(__file__).resolve().parents[1]


def draw(folder):
    pipeline = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(3)
    return pipeline("the red cat", num_inference_steps=4, generator=generator, output_type="latent").images


original = draw(here / "tiny-diffusion" / "model")
worst = {}
for name in ("F32", "F16"):
    worst[name] = ((draw(pathlib.Path(sys.argv[1]) / name) - original).abs().max() / original.abs().max()).item()
print(worst)
sys.exit(0 if worst["F32"] == 0 and worst["F16"] < 2e-2 else 1)
