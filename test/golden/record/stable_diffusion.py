"""Records what diffusers' and transformers' networks compute: test/golden/cases-sd.

    python test/golden/record/stable_diffusion.py      (torch 2.13.0, diffusers 0.42.1, transformers 5.24.0)

Weights follow the formula of `hashed` from names and shapes, so that only inputs and results are stored. Of the gradients
of sum(output * g), those of the inputs are stored whole; of every parameter's, the length and the product with a direction
of +1 and -1 (also by hash), which is what a test needs to see that it is right.
"""
import hashlib
import json
import pathlib

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from safetensors.numpy import save_file
from transformers import CLIPTextConfig, CLIPTextModel

TARGET = pathlib.Path(__file__).resolve().parents[1] / "cases-sd"


def hashed(name, count):
    """count numbers in [0, 1): FNV-1a of the name, then MurmurHash3's finaliser of seed + i * golden ratio."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return (x ^ (x >> np.uint32(16))).astype(np.float64) / 4294967296


def weight(name, shape):
    """Scales of norms 0.8 to 1.2, vectors within 0.2, rows of unit variance over their number of inputs."""
    u = hashed(name, int(np.prod(shape)))
    if len(shape) == 1:
        values = 0.4 * (u - 0.5) + (1 if name.endswith(".weight") else 0)
    elif "embedding.weight" in name:
        values = 2 * u - 1
    else:
        values = (2 * u - 1) * np.sqrt(3 / np.prod(shape[1:]))
    return values.astype(np.float32).reshape(shape)


def file_name(name):
    """transformers 5 leaves out the prefix that the files have."""
    return f"text_model.{name}" if name.split(".")[0] in ("embeddings", "encoder", "final_layer_norm") else name


def parameters(model):
    rename = file_name if isinstance(model, CLIPTextModel) else (lambda name: name)
    return {rename(name): parameter for name, parameter in model.named_parameters()}


def fill(model):
    with torch.no_grad():
        for name, parameter in parameters(model).items():
            parameter.copy_(torch.from_numpy(weight(name, tuple(parameter.shape))))
    return model.eval()


def normal(generator, *shape):
    return torch.randn(*shape, generator=generator)


def record(name, model, config, inputs, run):
    """`run` gives a dict of outputs. Gradients are those of the sum over outputs of sum(output * g)."""
    generator = torch.Generator().manual_seed(5)
    leaves = {key: value.clone().requires_grad_(key != "timestep" and key != "ids") for key, value in inputs.items()}
    outputs = run(model, leaves)
    arrays = {key: value for key, value in inputs.items()}
    loss = 0
    for key, value in outputs.items():
        g = normal(generator, *value.shape)
        arrays[key], arrays[f"g_{key}"] = value.detach(), g
        loss = loss + (value.double() * g).sum()
    loss.backward()
    for key, value in leaves.items():
        if value.grad is not None:
            arrays[f"grad_{key}"] = value.grad
    gradients = {}
    for key, parameter in parameters(model).items():
        if parameter.grad is None:
            continue
        gradient = parameter.grad.double().numpy().ravel()
        direction = np.where(hashed(f"{key}/direction", gradient.size) < 0.5, -1, 1)
        gradients[key] = [float(np.sqrt((gradient**2).sum())), float((gradient * direction).sum())]
    folder = TARGET / name
    folder.mkdir(parents=True, exist_ok=True)
    save_file({key: np.ascontiguousarray(value.float().numpy()) for key, value in arrays.items()}, folder / "io.safetensors")
    case = {"config": config, "outputs": list(outputs), "gradients": gradients}
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")


def unet(name, config, batch, size, length):
    model = fill(UNet2DConditionModel(**config))
    generator = torch.Generator().manual_seed(3)
    inputs = {
        "sample": normal(generator, batch, config["in_channels"], *size),
        "timestep": torch.tensor([999, 0, 421, 20, 577][:batch]).float(),
        "context": normal(generator, batch, length, config["cross_attention_dim"]),
    }

    def run(net, given):
        return {"prediction": net(given["sample"], given["timestep"].long(), given["context"]).sample}

    record(name, model, {"_class_name": "UNet2DConditionModel", **config}, inputs, run)


def autoencoder(name, kind, config, image, latent):
    model = fill(kind(**config))
    generator = torch.Generator().manual_seed(4)
    inputs = {"images": torch.rand(*image, generator=generator) * 2 - 1, "latents": 2 * normal(generator, *latent)}

    def run(net, given):
        outputs = {"decoded": net.decode(given["latents"]).sample}
        encoded = net.encode(given["images"])
        if kind is AutoencoderTiny:
            return {**outputs, "mean": encoded.latents}
        return {**outputs, "mean": encoded.latent_dist.mean, "log_variance": encoded.latent_dist.logvar}

    record(name, model, {"_class_name": kind.__name__, **config}, inputs, run)


def clip(name, config, ids, skip=0):
    model = fill(CLIPTextModel(CLIPTextConfig(**config)))

    def run(net, given):
        out = net(given["ids"].long(), output_hidden_states=True)
        if skip == 0:
            return {"hidden": out.last_hidden_state}
        norm = net.final_layer_norm if hasattr(net, "final_layer_norm") else net.text_model.final_layer_norm
        return {"hidden": norm(out.hidden_states[-(skip + 1)])}

    record(name, model, {"model_type": "clip_text_model", **config}, {"ids": torch.tensor(ids).float()}, run)


def tiny_cases():
    levels = {"down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"], "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"]}
    base = {"in_channels": 4, "out_channels": 4, "norm_num_groups": 4, "sample_size": 8}
    # SD 1: projections as convolutions, one head count for all, no attention at the smallest size. Not square.
    unet("unet-sd1", {**base, **levels, "block_out_channels": [8, 16], "layers_per_block": 2, "attention_head_dim": 4,
                      "cross_attention_dim": 6}, 3, (8, 6), 5)
    # SD 2: linear projections, head counts per block; and every list, odd sizes at every level, other channels.
    everywhere = {"down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"],
                  "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"]}
    unet("unet-sd2", {**base, **everywhere, "in_channels": 5, "out_channels": 3, "block_out_channels": [8, 12, 16],
                      "layers_per_block": [1, 2, 1], "transformer_layers_per_block": [2, 1, 3],
                      "attention_head_dim": [2, 3, 4], "cross_attention_dim": 7, "use_linear_projection": True,
                      "flip_sin_to_cos": False, "freq_shift": 1, "center_input_sample": True, "conv_in_kernel": 5,
                      "conv_out_kernel": 1, "norm_eps": 1e-3}, 2, (7, 11), 4)
    # No middle, no padding before the convolution that halves.
    unet("unet-no-middle", {**base, **levels, "block_out_channels": [4, 8], "layers_per_block": 1, "mid_block_type": None,
                            "attention_head_dim": 2, "cross_attention_dim": 3, "downsample_padding": 0}, 1, (4, 8), 2)
    kl = {"in_channels": 3, "out_channels": 3, "norm_num_groups": 4}
    three = {"down_block_types": ["DownEncoderBlock2D"] * 3, "up_block_types": ["UpDecoderBlock2D"] * 3}
    autoencoder("autoencoder-kl", AutoencoderKL, {**kl, **three, "block_out_channels": [8, 12, 16], "layers_per_block": 2,
                                                  "latent_channels": 4}, (3, 3, 12, 8), (3, 4, 3, 2))
    one = {"down_block_types": ["DownEncoderBlock2D"] * 2, "up_block_types": ["UpDecoderBlock2D"] * 2}
    autoencoder("autoencoder-kl-plain", AutoencoderKL, {**kl, **one, "block_out_channels": [4, 8], "latent_channels": 2,
                                                        "use_quant_conv": False, "use_post_quant_conv": False,
                                                        "mid_block_add_attention": False}, (1, 3, 4, 6), (2, 2, 3, 5))
    autoencoder("autoencoder-tiny", AutoencoderTiny, {"encoder_block_out_channels": [8, 8, 8], "num_encoder_blocks": [1, 2, 1],
                                                      "decoder_block_out_channels": [6, 6, 6], "num_decoder_blocks": [2, 1, 1],
                                                      "latent_channels": 3}, (3, 3, 8, 12), (3, 3, 2, 3))
    text = {"vocab_size": 31, "hidden_size": 12, "intermediate_size": 20, "num_hidden_layers": 3, "num_attention_heads": 3,
            "max_position_embeddings": 9, "bos_token_id": 29, "eos_token_id": 30, "pad_token_id": 30}
    ids = [[29, 4, 4, 17, 30, 30, 30], [29, 0, 12, 25, 8, 3, 30], [29, 30, 30, 30, 30, 30, 30]]
    clip("clip-text", text, ids)
    clip("clip-text-gelu", {**text, "hidden_act": "gelu", "layer_norm_eps": 1e-3}, ids)
    clip("clip-text-skip", text, ids, skip=1)


SD1_UNET = {"act_fn": "silu", "attention_head_dim": 8, "block_out_channels": [320, 640, 1280, 1280], "center_input_sample": False,
            "cross_attention_dim": 768, "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
            "downsample_padding": 1, "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 4, "layers_per_block": 2,
            "mid_block_scale_factor": 1, "norm_eps": 1e-05, "norm_num_groups": 32, "out_channels": 4, "sample_size": 64,
            "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3}
SD2_UNET = {**SD1_UNET, "attention_head_dim": [5, 10, 20, 20], "cross_attention_dim": 1024, "use_linear_projection": True,
            "sample_size": 96, "upcast_attention": True}
SD_VAE = {"act_fn": "silu", "block_out_channels": [128, 256, 512, 512], "down_block_types": ["DownEncoderBlock2D"] * 4,
          "in_channels": 3, "latent_channels": 4, "layers_per_block": 2, "norm_num_groups": 32, "out_channels": 3,
          "sample_size": 512, "up_block_types": ["UpDecoderBlock2D"] * 4}
SD1_TEXT = {"vocab_size": 49408, "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
            "num_attention_heads": 12, "max_position_embeddings": 77, "hidden_act": "quick_gelu"}
SD2_TEXT = {**SD1_TEXT, "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 23, "num_attention_heads": 16,
            "hidden_act": "gelu"}


def full_size():
    """Names and shapes of the published models' parameters, as a hash of the sorted lines `name d1,d2,...`."""
    found = {}
    with torch.device("meta"):
        models = {
            "sd1-unet": (SD1_UNET, UNet2DConditionModel(**SD1_UNET)),
            "sd2-unet": (SD2_UNET, UNet2DConditionModel(**SD2_UNET)),
            "sd-autoencoder": (SD_VAE, AutoencoderKL(**SD_VAE)),
            "taesd": ({}, AutoencoderTiny()),
            "sd1-text": (SD1_TEXT, CLIPTextModel(CLIPTextConfig(**SD1_TEXT))),
            "sd2-text": (SD2_TEXT, CLIPTextModel(CLIPTextConfig(**SD2_TEXT))),
        }
    for name, (config, model) in models.items():
        shapes = {key: list(value.shape) for key, value in parameters(model).items()}
        lines = "".join(f"{key} {','.join(map(str, shapes[key]))}\n" for key in sorted(shapes))
        count = sum(int(np.prod(shape)) for shape in shapes.values())
        sha256 = hashlib.sha256(lines.encode()).hexdigest()
        found[name] = {"config": config, "tensors": len(shapes), "numbers": count, "sha256": sha256}
    (TARGET / "full-size.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    tiny_cases()
    full_size()
