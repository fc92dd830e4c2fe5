"""Records what PyTorch's CPU generator gives: test/golden/random/torch.json.

    python test/golden/record/torch_random.py      (needs torch; recorded with 2.13.0)

Each sequence is one seed and a list of calls on one generator, so that leftovers of one call (the cached normal) reach
the next. Long results keep their first and last 20 numbers and the sum, in double precision.
"""
import json
import pathlib

import torch

SIZES = [1, 2, 3, 15, 16, 17, 31, 32, 33, 100, 1000, 3 * 32 * 32]


def call(generator, name, *args):
    if name == "randint":
        out = torch.randint(args[0], args[1], (args[2],), generator=generator)
    else:
        out = getattr(torch, name)(args[0], generator=generator)
    out = out.double()
    kept = out if len(out) <= 40 else torch.cat([out[:20], out[-20:]])
    return {"call": name, "args": list(args), "values": kept.tolist(), "sum": out.sum().item()}


def sequence(seed, calls):
    generator = torch.Generator().manual_seed(seed)
    return {"seed": str(seed), "calls": [call(generator, *c) for c in calls]}


sequences = [sequence(seed, [("randn", n)]) for seed in (0, 42) for n in SIZES]
mixed = [
    ("randn", 3), ("rand", 5), ("randn", 17), ("randn", 2), ("randint", 0, 10, 7), ("randn", 1), ("randn", 100),
    ("randn", 15), ("randint", -5, 1000, 20), ("randn", 33), ("rand", 1000), ("randn", 3072),
    ("randint", 0, 2**28 - 1, 9), ("randint", -7, 2**28 - 7, 5), ("randint", 0, 2**31, 9), ("randn", 1), ("randint", 20, 981, 50), ("randn", 700),
]
# Every end of what manual_seed takes; text in the file, since JSON has no such whole numbers.
sequences += [sequence(seed, [("randn", 5), ("rand", 3)]) for seed in (-1, -5, -(2**32), -(2**63), 2**63, 2**64 - 1)]
sequences += [sequence(seed, mixed) for seed in (1, 1234567, 2**32 - 1, 2**32 + 7, 2**53 + 11)]

target = pathlib.Path(__file__).resolve().parents[1] / "random" / "torch.json"
target.parent.mkdir(exist_ok=True)
target.write_text(json.dumps({"torch": torch.__version__.split("+")[0], "sequences": sequences}) + "\n")
