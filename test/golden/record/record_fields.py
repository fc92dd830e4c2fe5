"""Records fields by dmd_record.py as a trainer would: record_fields.py FOLDER FOLDER_OF_DMD_RECORD; prints what it wrote as JSON."""
import json
import sys

import numpy as np

sys.path.insert(0, sys.argv[2])
from dmd_record import Recorder  # noqa: E402

random = np.random.default_rng(3)
recorder = Recorder(sys.argv[1], every=10)
before = np.random.get_state()[1].copy()
for step in range(5, 55, 5):
    x, xt, real, fake = (random.standard_normal((4, 3, 2, 2)).astype(np.float32) for _ in range(4))
    grad = 100 * (fake - real) / np.abs(x - real).mean((1, 2, 3), keepdims=True)
    recorder.fields(step, x=x, xt=xt, muReal=real, muFake=fake, grad=grad, sigma=[0.1, 0.5, 1.0, 5.0])
    if step == 20:
        kept = {"x": x.ravel().tolist(), "grad": grad.ravel().tolist()}
ladder = np.stack([x, x])
recorder.probe(10, x=x, xt=ladder, muReal=ladder, muFake=ladder, grad=ladder, sigma=[0.1, 1.0])
kept["random"] = bool(np.array_equal(before, np.random.get_state()[1]))
try:
    recorder.fields(60, x=x, xt=xt, muReal=real, grad=grad[..., :1], sigma=[1, 1, 1, 1])
except ValueError as error:
    kept["refused"] = str(error)
print(json.dumps(kept))
