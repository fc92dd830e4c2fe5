"""Records PNG files as Pillow writes them, with what is in them: palettes and grays of few bits, texts in every kind of chunk.

    python png_files.py ../png/pillow.json      (Pillow 12, NumPy)
"""

import base64
import io
import json
import sys

import numpy as np
from PIL import Image, PngImagePlugin

TEXTS = {
    "dmd.settings": '{"model":"builtin:scenes-text","seeds":[8],"classes":null,"prompt":"ein großer Kreis","steps":1,"device":"auto"}',
    "Software": "DMD Workbench 0.1.0",
    "dmd.prompt": "赤い円 – 🟥",
}


def saved(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return base64.b64encode(buffer.getvalue()).decode()


def pictures():
    for bits in (1, 2, 4, 8):
        for width, height in ((5, 3), (8, 2), (13, 4)):
            random = np.random.default_rng(bits * 100 + width)
            colours = min(2**bits, 40)
            indices = random.integers(0, colours, (height, width), dtype=np.uint8)
            palette = random.integers(0, 256, (colours, 3), dtype=np.uint8)
            image = Image.fromarray(indices, "P")
            image.putpalette(palette.flatten().tolist())
            values = palette[indices].transpose(2, 0, 1)
            yield f"palette, {bits} bits, {width} x {height}", saved(image, bits=bits), values
    gray = np.random.default_rng(7).integers(0, 2, (3, 11), dtype=np.uint8) * 255
    yield "gray, 1 bit, 11 x 3", saved(Image.fromarray(gray, "L").convert("1")), gray[None]


def texts():
    image = Image.new("RGB", (2, 2))
    for kind in ("tEXt", "zTXt", "iTXt", "iTXt, compressed", "iTXt, with a language"):
        info = PngImagePlugin.PngInfo()
        for key, value in TEXTS.items():
            if kind in ("tEXt", "zTXt"):
                # Pillow writes what Latin-1 cannot hold as iTXt.
                info.add_text(key, value, zip=kind == "zTXt")
            else:
                named = kind.endswith("language")
                lang, tkey = ("en", "größe") if named else ("", "")
                info.add_itxt(key, value, lang=lang, tkey=tkey, zip=kind.endswith("compressed"))
        yield kind, saved(image, pnginfo=info)


recorded = {
    "pictures": [
        {"name": name, "png": png, "shape": list(values.shape), "bytes": values.flatten().tolist()}
        for name, png, values in pictures()
    ],
    "texts": TEXTS,
    "files": [{"name": name, "png": png} for name, png in texts()],
}
with open(sys.argv[1], "w") as file:
    json.dump(recorded, file, ensure_ascii=False, separators=(",", ":"))
    file.write("\n")
