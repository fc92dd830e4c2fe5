"""Records what transformers' CLIPTokenizer makes of nasty prompts: test/golden/tokenizer/clip.json.

    python test/golden/record/tokenizer.py      (needs transformers; recorded with 5.24.0)

The vocabulary is the one beside it, made from captions.txt by this project's own `trainBpe` (test/golden/tokenizer.test.ts holds
it to that). Variants differ in the further files of the tokenizer's folder, in the order of the merges, and in what the vocabulary
lacks.
"""
import json
import pathlib
import random
import tempfile

import transformers
from transformers import CLIPTokenizer

folder = pathlib.Path(__file__).resolve().parents[1] / "tokenizer"
VOCAB = (folder / "vocab.json").read_text()
MERGES = (folder / "merges.txt").read_text()


def token(content, normalized=True):
    return {
        "__type": "AddedToken", "content": content, "lstrip": False, "normalized": normalized, "rstrip": False,
        "single_word": False,
    }


def plain(content):
    return {key: value for key, value in token(content).items() if key != "__type"}


SD1 = {
    "add_prefix_space": False, "bos_token": token("<|startoftext|>"), "do_lower_case": True,
    "eos_token": token("<|endoftext|>"), "errors": "replace", "model_max_length": 77, "pad_token": "<|endoftext|>",
    "tokenizer_class": "CLIPTokenizer", "unk_token": token("<|endoftext|>"),
}
SD2 = {
    "bos_token": plain("<|startoftext|>"), "eos_token": plain("<|endoftext|>"), "pad_token": "!",
    "unk_token": plain("<|endoftext|>"),
}
ids = json.loads(VOCAB)
DECODER = {
    "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
    "pad_token": "<|endoftext|>", "model_max_length": 20, "tokenizer_class": "CLIPTokenizer",
    "added_tokens_decoder": {
        str(ids[name]): {**plain(name), "special": True} for name in ("<|startoftext|>", "<|endoftext|>")
    },
}


def shuffled(seed):
    head, *lines = MERGES.strip("\n").split("\n")
    random.Random(seed).shuffle(lines)
    return "\n".join([head, *lines]) + "\n"


def lacking():
    """Without most single bytes of two, and without what is merged from them."""
    gone = set("aeÃ©àŁ") | {"e</w>", "©</w>", "!</w>", "Ł</w>"}
    lines = [line for line in MERGES.strip("\n").split("\n")[1:]]
    kept, merges = {key: value for key, value in ids.items() if key not in gone}, []
    for line in lines:
        left, right = line.split(" ")
        if left in kept and right in kept:
            merges.append(line)
    return json.dumps(kept), "\n".join(merges) + "\n"


few, fewer = lacking()
variants = {
    "files": {},
    "sd1": {"tokenizer_config.json": json.dumps(SD1)},
    "sd2": {"tokenizer_config.json": json.dumps(SD1), "special_tokens_map.json": json.dumps(SD2)},
    "decoder": {"tokenizer_config.json": json.dumps(DECODER)},
    "added": {"added_tokens.json": json.dumps({"<Cat-Toy>": len(ids), "<cat": len(ids) + 1})},
    "shuffled": {"merges.txt": shuffled(1)},
    "shuffled twice": {"merges.txt": shuffled(2)},
    "lacking": {"vocab.json": few, "merges.txt": fewer},
}

prompts = [
    "",
    " ",
    "a red circle on a blue ground",
    "A RED Circle,\n\ton  a\u00a0BLUE   ground.",
    "It's, IT'S, isn't, don't; they're we've I'm you'll she'd 'sun 'd'd ''s 's't \u2019s",
    "123 4567 1st 2nd x1y2 3.14 1,000 \u0663\u0664 \u216b \u00bd \u00b2",
    "snake_case __init__ a_b_ _ -- --- !!! !? ... (a) [b] {c} <d> a/b\\c @#$%^&*~`\"",
    "!",
    "a ! b !! c! !d",
    "\U0001f600\U0001f3a8 red\U0001f534circle \U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f \U0001f1e9\U0001f1ea",
    "caf\u00e9 cafe\u0301 nai\u0308ve fa\u00e7ade \u00c5ngstr\u00f6m \u212bngstrom \u1e9b\u0323",
    "\u0391\u03a3\u039f\u03a3 \u039f\u0394\u039f\u03a3 \u03a3 \u0130stanbul I\u0131 \u1e9e stra\u00dfe \ufb01n \u01c5 \u1f88",
    "\u043a\u0440\u0430\u0441\u043d\u044b\u0439 \u041a\u0420\u0423\u0413 \u0441\u043b\u0435\u0432\u0430",
    "\u8d64\u3044\u4e38 \u9752\u3044\u56db\u89d2 \ud55c\uad6d\uc5b4 \u1112\u1161\u11ab \u0e44\u0e17\u0e22 \u0939\u093f\u0928\u094d\u0926\u0940 \u05e2\u05d1\u05e8\u05d9\u05ea \u0639\u0631\u0628\u064a",
    "\ufeffa\ufeffb \u200bzero\u200bwidth \u0085next\u0085line \u2028 \u2029 \u1680 \u2003 \u202f \u205f \u3000end \u180e \x1c\x1d\x1e\x1fx",
    "\x00null \x07bell \x7f del \x80\x9f",
    "<|startoftext|>",
    "a<|endoftext|>b <|startoftext|> c",
    "<|ENDOFTEXT|> <|StartOfText|>x <|endoftext |> <|endoftext|><|endoftext|>",
    "<|<|endoftext|>|> |endoftext| <endoftext>",
    "<cat-toy> <Cat-Toy> <CAT-TOY> <cat <CAT a<cat-toyb",
    "red redd reddd redred redredred circlecircle aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "Donaudampfschifffahrtsgesellschaft Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
    "a red circle " * 40,
    "x" * 300,
    "the " * 74 + "purple triangle",
    "the " * 75,
    "the " * 76 + "end",
    ("\U0001f600 " * 30),
    "\u0301combining first",
    "e\u0301\u0302\u0303 o\u0308\u0304 \u1100\u1161\u11a8 \u0958 \u2126",
    "\U0001d54f\U0001d4d0 \U00010400\U00010428 \U00016e40 \U0001e900",
    "tab\tnew\nline\r\nfeed\x0bvt\x0cff",
]


def record(files):
    with tempfile.TemporaryDirectory() as path:
        for name, text in {"vocab.json": VOCAB, "merges.txt": MERGES, **files}.items():
            (pathlib.Path(path) / name).write_text(text)
        tokenizer = CLIPTokenizer.from_pretrained(path)
        length = min(tokenizer.model_max_length, 77)
        results = [
            tokenizer(prompt, padding="max_length", truncation=True, max_length=length).input_ids for prompt in prompts
        ]
        saved = {}
        if "special_tokens_map.json" in files:
            target = pathlib.Path(path) / "saved"
            tokenizer.save_pretrained(target)
            saved = {p.name: p.read_text() for p in target.iterdir()}
    return {"files": files, "length": length, "ids": results, "saved": saved}


recorded = {name: record(files) for name, files in variants.items()}
whole = recorded.pop("sd2")
recorded["sd2"] = {**whole, "saved": {}}
recorded["saved"] = {"files": whole["saved"], "length": whole["length"], "ids": whole["ids"], "saved": {}}
for entry in recorded.values():
    del entry["saved"]
    for row in entry["ids"]:  # padding is the last id, repeated
        while len(row) > 1 and row[-1] == row[-2]:
            row.pop()
lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in recorded.items())
version = json.dumps(transformers.__version__)
(folder / "clip.json").write_text(
    f'{{"transformers": {version}, "prompts": {json.dumps(prompts)}, "variants": {{\n{lines}\n}}}}\n'
)
