"""Records test/golden/clip: tiny CLIP models with random weights, what transformers' processor makes of pictures, what its
tokenizer makes of texts, and the embeddings of both.

    python test/golden/record/clip.py          (needs torch, transformers, numpy, Pillow, safetensors)
"""
import json
import shutil
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.numpy import save_file
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

golden = Path(__file__).parents[1]
out = golden / "clip"
texts = ["a red circle", "two green stars above a ring", "", "a small blue square on the left of a very large ground " * 3]
random = np.random.default_rng(7)
sizes = [(12, 12), (40, 25), (9, 31), (20, 20)]

for name, act, heads in [("quick-gelu", "quick_gelu", 2), ("gelu", "gelu", 3)]:
    torch.manual_seed(11)
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in ["vocab.json", "merges.txt"]:
        shutil.copy(golden / "tokenizer" / file, folder / file)
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=20)
    ids = dict(bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    shared = dict(num_hidden_layers=2, num_attention_heads=heads, hidden_act=act)
    config = CLIPConfig(
        text_config=dict(
            vocab_size=len(tokenizer), hidden_size=12, intermediate_size=20, max_position_embeddings=20, **ids, **shared
        ),
        vision_config=dict(hidden_size=18, intermediate_size=28, image_size=16, patch_size=4, **shared),
        projection_dim=10,
    )
    model = CLIPModel(config).eval()
    with torch.no_grad():  # starting values are so small that everything looks alike
        for key, value in model.named_parameters():
            if value.ndim >= 2:
                value.normal_(0, 1.5 / np.sqrt(value[0].numel()))
            elif key.endswith("weight"):
                value.copy_(1 + 0.1 * torch.randn_like(value))
            else:
                value.copy_(0.2 * torch.randn_like(value))
    model.save_pretrained(folder)
    processor = CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    processor.save_pretrained(folder)

    arrays = {}
    pixels = []
    for k, (height, width) in enumerate(sizes):
        coarse = random.integers(0, 256, (3, 4, 3, 3)).astype(np.uint8)[0]
        picture = np.asarray(Image.fromarray(coarse).resize((width, height), Image.BICUBIC))
        arrays[f"picture{k}"] = picture.transpose(2, 0, 1).astype(np.int64)
        value = processor(Image.fromarray(picture), return_tensors="pt")["pixel_values"]
        arrays[f"pixels{k}"] = value[0].numpy()
        pixels.append(value)
    encoded = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
    with torch.no_grad():
        result = model(pixel_values=torch.cat(pixels), **encoded)
    arrays["ids"] = encoded["input_ids"].numpy()
    arrays["image_embeds"] = result.image_embeds.numpy()
    arrays["text_embeds"] = result.text_embeds.numpy()
    cosine = (result.image_embeds * result.text_embeds).sum(-1)
    arrays["scores"] = (100 * cosine.clamp(min=0)).numpy()
    print(name, arrays["scores"], encoded["attention_mask"].sum(-1))
    save_file({key: np.ascontiguousarray(value) for key, value in arrays.items()}, folder / "io.safetensors")
(out / "texts.json").write_text(json.dumps({"transformers": transformers.__version__, "texts": texts}, indent=1) + "\n")
