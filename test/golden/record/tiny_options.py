"""Records what diffusers draws of the saved tiny pipeline with options and other schedulers: test/golden/tiny-diffusion/options.*

    python test/golden/record/tiny_options.py      (needs torch, diffusers, transformers)

Each run is a scheduler's class, what its folder's scheduler_config.json says beyond the saved one, and the options of the call.
"""
import json
import pathlib

import diffusers
import torch
import transformers
from diffusers import DDIMScheduler, PNDMScheduler, StableDiffusionPipeline
from safetensors.torch import save_file

target = pathlib.Path(__file__).resolve().parents[1] / "tiny-diffusion"
pipeline = StableDiffusionPipeline.from_pretrained(target / "model", safety_checker=None, local_files_only=True)
pipeline.set_progress_bar_config(disable=True)
# diffusers looks for the last norm where transformers had it before version 5.
type(pipeline.text_encoder).text_model = property(lambda self: self)
saved = json.loads((target / "model" / "scheduler" / "scheduler_config.json").read_text())
ancestral = {"_class_name": "EulerAncestralDiscreteScheduler", "skip_prk_steps": None}
v_zero_snr = {"_class_name": "EulerDiscreteScheduler", "skip_prk_steps": None, "timestep_spacing": "trailing",
              "prediction_type": "v_prediction", "rescale_betas_zero_snr": True}

runs = [
    dict(scheduler="ddim", steps=5, seeds=["7"], clipSkip=1),
    dict(scheduler="ddim", steps=5, seeds=["7", "-1"], eta=0.6),
    dict(scheduler="ddim", steps=4, seeds=["-9223372036854775808", "18446744073709551615", "9007199254740993"]),
    dict(scheduler="ddim", steps=4, seeds=["-5"], eta=1.0, clipSkip=1, folder=ancestral),
    dict(scheduler="pndm", steps=6, seeds=["3"], folder=ancestral),
    dict(scheduler="pndm", steps=6, seeds=["3"], folder=v_zero_snr),
]
tensors = {}
for i, run in enumerate(runs):
    config = {k: v for k, v in {**saved, **run.get("folder", {})}.items() if v is not None}
    pipeline.scheduler = {"ddim": DDIMScheduler, "pndm": PNDMScheduler}[run["scheduler"]].from_config(config)
    for seed in run["seeds"]:
        tensors[f"{i}.{seed}"] = pipeline(
            "The red cat on blue", negative_prompt="a cat", guidance_scale=4.0, num_inference_steps=run["steps"],
            eta=run.get("eta", 0.0), clip_skip=run.get("clipSkip"), output_type="latent",
            generator=torch.Generator().manual_seed(int(seed)),
        ).images
save_file({k: v.contiguous() for k, v in tensors.items()}, target / "options.safetensors")
versions = {"torch": torch.__version__.split("+")[0], "diffusers": diffusers.__version__, "transformers": transformers.__version__}
(target / "options.json").write_text(json.dumps({"versions": versions, "runs": runs}, indent=1) + "\n")
