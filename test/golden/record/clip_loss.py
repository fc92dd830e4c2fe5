"""Records test/golden/clip/*/loss.safetensors: transformers' contrastive loss of the tiny CLIP models there, for the recorded
pictures and texts, and its gradients.

    python test/golden/record/clip_loss.py          (needs torch, transformers, safetensors)
"""
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPModel

out = Path(__file__).parents[1] / "clip"
recorded = [
    "logit_scale",
    "text_projection.weight",
    "visual_projection.weight",
    "text_model.embeddings.position_embedding.weight",
    "text_model.encoder.layers.0.self_attn.q_proj.weight",
    "vision_model.embeddings.class_embedding",
    "vision_model.embeddings.patch_embedding.weight",
    "vision_model.pre_layrnorm.weight",
]

for folder in [out / "quick-gelu", out / "gelu"]:
    io = load_file(folder / "io.safetensors")
    model = CLIPModel.from_pretrained(folder)
    pixels = torch.stack([io[f"pixels{k}"] for k in range(4)])
    loss = model(pixel_values=pixels, input_ids=io["ids"].long(), return_loss=True).loss
    loss.backward()
    parameters = dict(model.named_parameters())
    arrays = {name: parameters[name].grad for name in recorded}
    print(folder.name, loss.item(), {name: value.norm().item() for name, value in arrays.items()})
    save_file({"loss": loss.detach(), **arrays}, folder / "loss.safetensors")
