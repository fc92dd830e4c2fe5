"""The full-size networks of Stable Diffusion 1.5 in diffusers and transformers, for `sd15.bench.ts`, with the weights by
formula of test/golden/record/stable_diffusion.py.

    python sd15.py --record               writes inputs and outputs of each network to test/golden/cases-sd-full
    python sd15.py NAME --threads=N       every line read from standard input runs NAME once more and answers with JSON

NAME is text, unet, decoder (to 512x512 pixels), or another of `networks`.
"""
import json
import pathlib
import sys
import time

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from safetensors.numpy import save_file
from transformers import CLIPTextConfig, CLIPTextModel

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"
sys.path.insert(0, str(GOLDEN / "record"))
from stable_diffusion import SD1_TEXT, SD1_UNET, SD_VAE, fill, normal  # noqa: E402


def inputs_of(name):
    generator = torch.Generator().manual_seed(15)
    if name == "text":
        return {"ids": torch.randint(0, SD1_TEXT["vocab_size"], (1, 77), generator=generator).float()}
    if name == "unet":
        sample, context = normal(generator, 1, 4, 64, 64), normal(generator, 1, 77, 768)
        return {"sample": sample, "timestep": torch.tensor([999.0]), "context": context}
    if name == "decoder":
        return {"latents": normal(generator, 1, 4, 64, 64)}
    return {"images": torch.rand(1, 3, 64, 64, generator=generator) * 2 - 1, "latents": normal(generator, 1, 4, 8, 8)}


def both_ways(net, given):
    encoded = net.encode(given["images"])
    mean = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mean
    return {"mean": mean, "decoded": net.decode(given["latents"]).sample}


networks = {
    "text": (lambda: CLIPTextModel(CLIPTextConfig(**SD1_TEXT)),
             lambda net, given: {"hidden": net(given["ids"].long()).last_hidden_state}),
    "unet": (lambda: UNet2DConditionModel(**SD1_UNET),
             lambda net, given: {"prediction": net(given["sample"], given["timestep"], given["context"]).sample}),
    "autoencoder": (lambda: AutoencoderKL(**SD_VAE), both_ways),
    "taesd": (lambda: AutoencoderTiny(), both_ways),
    "decoder": (lambda: AutoencoderKL(**SD_VAE), lambda net, given: {"decoded": net.decode(given["latents"]).sample}),
}


def record():
    for name, (make, run) in networks.items():
        if name == "decoder":
            continue
        given = inputs_of(name)
        arrays = {**given, **run(fill(make()), given)}
        folder = GOLDEN / "cases-sd-full" / name
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {key: np.ascontiguousarray(value.float().numpy()) for key, value in arrays.items()}
        save_file(arrays, folder / "io.safetensors")
        print(name, {key: float(value.std()) for key, value in arrays.items()})


def answer(name):
    make, run = networks[name]
    net, given = fill(make()), inputs_of(name)
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for _ in sys.stdin:
        start, processor = time.perf_counter(), time.process_time()
        run(net, given)
        times = {"milliseconds": time.perf_counter() - start, "cpu": time.process_time() - processor}
        print(json.dumps({key: 1000 * value for key, value in times.items()}), flush=True)


with torch.inference_mode():
    options = [word for word in sys.argv[1:] if word.startswith("--")]
    for option in options:
        if option.startswith("--threads="):
            torch.set_num_threads(int(option.split("=")[1]))
    if "--record" in options:
        record()
    else:
        answer(next(word for word in sys.argv[1:] if not word.startswith("--")))
