"""Records what diffusers draws of the saved tiny pipeline with an AutoencoderTiny in place of its autoencoder: test/golden/tiny-decoder/.

    python test/golden/record/tiny_decoder.py      (needs torch, diffusers, transformers)

The folder is one as diffusers saves it. One picture alone, an odd number of them, and sizes that are not square.
"""
import json
import pathlib
import shutil

import diffusers
import torch
import transformers
from diffusers import AutoencoderTiny, DDIMScheduler, StableDiffusionPipeline
from safetensors.torch import save_file

golden = pathlib.Path(__file__).resolve().parents[1]
target = golden / "tiny-decoder"
shutil.rmtree(target, ignore_errors=True)
pipeline = StableDiffusionPipeline.from_pretrained(golden / "tiny-diffusion" / "model", safety_checker=None, local_files_only=True)
pipeline.set_progress_bar_config(disable=True)
# diffusers looks for the last norm where transformers had it before version 5.
type(pipeline.text_encoder).text_model = property(lambda self: self)
pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)

torch.manual_seed(3)
sides = {f"{side}_block_out_channels": (6, 6) for side in ("encoder", "decoder")}
tiny = AutoencoderTiny(**sides, num_encoder_blocks=(1, 2), num_decoder_blocks=(2, 1), scaling_factor=0.8)
with torch.no_grad():  # as drawn, it gives almost nothing
    for weight in tiny.parameters():
        weight *= 2.0 if weight.ndim > 1 else 1.0
tiny.save_pretrained(target / "model")
pipeline.vae = tiny

runs = [
    dict(seeds=[4], size=[16, 16]),
    dict(seeds=[4, 5, 6], size=[24, 16]),
    dict(seeds=[7], size=[16, 40]),
]
tensors = {}
for i, run in enumerate(runs):
    height, width = run["size"]
    latents = pipeline(
        ["The red cat on blue"] * len(run["seeds"]), num_inference_steps=2, guidance_scale=3.0, height=height, width=width,
        output_type="latent", generator=[torch.Generator().manual_seed(seed) for seed in run["seeds"]],
    ).images
    with torch.no_grad():
        tensors[f"{i}.latents"] = latents.contiguous()
        tensors[f"{i}.images"] = tiny.decode(latents / tiny.config.scaling_factor).sample.contiguous()
save_file(tensors, target / "io.safetensors")
versions = {"torch": torch.__version__.split("+")[0], "diffusers": diffusers.__version__, "transformers": transformers.__version__}
(target / "case.json").write_text(json.dumps({"versions": versions, "runs": runs}, indent=1) + "\n")
