"""Writes a tiny random StableDiffusionPipeline as diffusers saves it, and what it draws: test/golden/tiny-diffusion/.

    python test/golden/record/tiny_diffusion.py      (needs torch, diffusers, transformers)

The weights are drawn, so the pictures show nothing; every number of prompt -> pixels counts all the same. Two schedulers
with guidance and a negative prompt. The latents are those of one torch.manual_seed per picture.
"""
import json
import pathlib
import shutil
import tempfile

import diffusers
import torch
import transformers
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

target = pathlib.Path(__file__).resolve().parents[1] / "tiny-diffusion"
shutil.rmtree(target, ignore_errors=True)
target.mkdir()


def byte_symbols():
    """CLIP's printable symbol for every byte, printable ones first."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, extra = {b: chr(b) for b in printable}, 0
    for b in range(256):
        if b not in table:
            table[b], extra = chr(256 + extra), extra + 1
    return [table[b] for b in sorted(range(256), key=lambda b: (b not in printable, b))]


symbols = byte_symbols()
merges = ["a t</w>", "c a", "ca t</w>", "r e", "re d</w>", "o n</w>", "t h", "th e</w>", "b l", "bl u", "blu e</w>"]
vocab = symbols + [s + "</w>" for s in symbols] + [m.replace(" ", "") for m in merges]
vocab += ["<|startoftext|>", "<|endoftext|>"]
words = pathlib.Path(tempfile.mkdtemp())
(words / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(vocab)}, ensure_ascii=False))
(words / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")

torch.manual_seed(0)
tokenizer = CLIPTokenizer(str(words / "vocab.json"), str(words / "merges.txt"), model_max_length=16)
text_encoder = CLIPTextModel(CLIPTextConfig(
    vocab_size=len(vocab), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=16, bos_token_id=len(vocab) - 2, eos_token_id=len(vocab) - 1, pad_token_id=len(vocab) - 1,
))
unet = UNet2DConditionModel(
    sample_size=8, block_out_channels=(16, 32), layers_per_block=1, cross_attention_dim=16, attention_head_dim=4,
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    norm_num_groups=8,
)
vae = AutoencoderKL(
    block_out_channels=(8, 16), layers_per_block=1, latent_channels=4, norm_num_groups=4, sample_size=16,
    down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
)
with torch.no_grad():  # as drawn, the networks give almost nothing
    for network, factor in ((text_encoder, 3.0), (unet, 1.6), (vae, 1.8)):
        for name, weight in network.named_parameters():
            if weight.ndim > 1:
                weight *= factor
            elif name.endswith("bias"):
                weight += 0.05 * torch.randn_like(weight)
betas = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
pndm = PNDMScheduler(**betas, skip_prk_steps=True, steps_offset=1)
pipeline = StableDiffusionPipeline(
    vae=vae, text_encoder=text_encoder, tokenizer=tokenizer, unet=unet, scheduler=pndm,
    safety_checker=None, feature_extractor=None, requires_safety_checker=False,
)
pipeline.set_progress_bar_config(disable=True)
pipeline.save_pretrained(target / "model")
saved = target / "model" / "scheduler" / "scheduler_config.json"
config = json.loads(saved.read_text())
saved.write_text(json.dumps({**config, "clip_sample": False}, indent=2) + "\n")  # as in SD 1.5's, for other schedulers
schedulers = {"pndm": pndm, "ddim": DDIMScheduler.from_pretrained(target / "model", subfolder="scheduler")}

runs = [
    dict(scheduler="pndm", prompt="The red cat on blue", negative="", guidance=5.0, steps=6, seeds=[3, 11]),
    dict(scheduler="ddim", prompt="a cat", negative="the red", guidance=7.5, steps=5, seeds=[42]),
    dict(scheduler="ddim", prompt="blue, red!", negative="", guidance=1.0, steps=4, seeds=[0]),
]
tensors = {}
for i, run in enumerate(runs):
    pipeline.scheduler = schedulers[run["scheduler"]]
    for seed in run["seeds"]:
        latents = pipeline(
            run["prompt"], negative_prompt=run["negative"], guidance_scale=run["guidance"],
            num_inference_steps=run["steps"], output_type="latent",
            generator=torch.Generator().manual_seed(seed),
        ).images
        with torch.no_grad():
            image = vae.decode(latents / vae.config.scaling_factor).sample
        tensors[f"{i}.{seed}.latents"], tensors[f"{i}.{seed}.image"] = latents, image
        print(run["scheduler"], seed, "latents", latents.std().item(), "image", image.mean().item(), image.std().item())
ids = tokenizer(runs[0]["prompt"], padding="max_length", truncation=True, return_tensors="pt").input_ids
with torch.no_grad():
    tensors["ids"], tensors["context"] = ids, text_encoder(ids)[0]

# One step, as the public generators are called: the prediction at the last timestep, read off in float32.
with torch.no_grad():
    z = torch.randn([1, 4, 8, 8], generator=torch.Generator().manual_seed(5))
    prediction = unet(z, torch.tensor([999]), tensors["context"]).sample
    cumulative = schedulers["ddim"].alphas_cumprod[999]
    x0 = (z - (1 - cumulative).sqrt() * prediction) / cumulative.sqrt()
    tensors["onestep.latents"] = x0
    tensors["onestep.image"] = vae.decode(x0 / vae.config.scaling_factor).sample
    print("one step", x0.std().item(), tensors["onestep.image"].std().item())
    velocity = unet(z, torch.tensor([1000.0]), tensors["context"]).sample
    tensors["velocity.latents"] = z + velocity

save_file({k: v.contiguous() for k, v in tensors.items()}, target / "io.safetensors")
versions = {"torch": torch.__version__.split("+")[0], "diffusers": diffusers.__version__, "transformers": transformers.__version__}
(target / "case.json").write_text(json.dumps({"versions": versions, "runs": runs}, indent=1) + "\n")
print(sum(p.stat().st_size for p in target.rglob("*") if p.is_file()), "bytes")
