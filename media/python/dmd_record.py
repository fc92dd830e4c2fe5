"""Records a DMD training of your own for DMD Workbench: score fields in its layout, beside TensorBoard event files.

Copy this file beside your trainer. It needs NumPy and nothing else; MIT License, as DMD Workbench itself.

    from dmd_record import Recorder
    recorder = Recorder("runs/my-run", every=100)                      # the folder of your SummaryWriter
    recorder.fields(step, x=x, xt=xt, muReal=mu_real, muFake=mu_fake, grad=grad, sigma=sigma)

Arrays may be NumPy's, PyTorch's (any device, with or without gradient) or anything that np.asarray takes: x, xt, muReal, muFake and
grad [B, C, H, W]; sigma (and alpha where it is not 1) [B]; grad before the division by batch and size, so that the update moves x
along -grad. `recorder.probe(...)` takes the same for fixed noise at a ladder of L levels: x [N, C, H, W], the fields
[L, N, C, H, W], sigma [L]. Nothing of your program is changed: no random number is drawn and no gradient is kept.
"""
import json
import os
import struct

import numpy as np

__all__ = ["Recorder", "health_scalars", "write_safetensors"]

KINDS = ("training", "probe")


class Recorder:
    """Writes FOLDER/fields/KIND/step-00000100.safetensors, whole or not at all.

    every: records a step only when it is a multiple. budget_mb: where the files of a kind take more, older steps make room, every
    second one first; the newest stays.
    """

    def __init__(self, folder, every=1, budget_mb=500):
        self.folder, self.every, self.budget = str(folder), int(every), budget_mb * 1e6

    def fields(self, step, **arrays):
        """A batch as it is trained on. Returns the path, or None where the step is not recorded."""
        return self._record("training", step, arrays)

    def probe(self, step, **arrays):
        """Fixed noise and levels, the same at every step, so that steps can be compared."""
        return self._record("probe", step, arrays)

    def _record(self, kind, step, arrays):
        if step % self.every != 0:
            return None
        host = {name: as_array(value) for name, value in arrays.items() if value is not None}
        check(kind, host)
        folder = os.path.join(self.folder, "fields", kind)
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, "step-%08d.safetensors" % step)
        metadata = {"kind": kind, "step": str(step)}
        if kind == "probe":
            metadata["levels"] = json.dumps(list(range(len(host["sigma"]))))
        write_safetensors(path, host, metadata)
        self._make_room(folder, path)
        return path

    def _make_room(self, folder, newest):
        while True:
            files = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".safetensors"))
            if len(files) < 2 or sum(os.path.getsize(file) for file in files) <= self.budget:
                return
            older = [file for file in files if file != newest]
            for file in older[1::2] or older:
                os.remove(file)


def health_scalars(x, muReal, muFake, grad, sigma, alpha=None):
    """Numbers that DMD Workbench judges a run's health by, for writer.add_scalar(tag, value, step): tag -> float."""
    x, real, fake, grad = (as_array(value).astype(np.float64).reshape(len(x), -1) for value in (x, muReal, muFake, grad))
    sigma = as_array(sigma).astype(np.float64).reshape(-1)
    alpha = np.ones_like(sigma) if alpha is None else as_array(alpha).astype(np.float64).reshape(-1)
    left, apart = x - fake, fake - real
    residual = np.abs(x - real).mean(1)
    if not np.all(residual > 0):
        return {}
    scalars = {
        "vitals/fake-error": (np.square(left).mean(1) / residual**2).mean(),
        "vitals/difference": (np.square(apart).mean(1) / residual**2).mean(),
        "vitals/lag": ((left * apart).mean(1) / residual**2).mean(),
        "residual/real": residual.mean(),
        "residual/fake": np.abs(left).mean(),
    }
    if len(sigma) > 1:
        scalars["vitals/levels"] = (len(np.unique(sigma)) - 1) / (len(sigma) - 1)
    square = np.square(apart).mean(1)
    if np.all(square > (1e-5 * residual) ** 2) and np.all(sigma > 0):
        factor = (grad * apart).mean(1) / square
        weights = (1 / residual, alpha / residual, alpha / sigma, alpha * sigma)  # Table 2 of arXiv 2311.18828
        logs = [np.log(np.maximum(factor / weight, 1e-12)) for weight in weights]
        nearest = min(logs, key=lambda log: np.square(log).mean())
        scalars["vitals/gradient-scale"] = np.exp(nearest.mean())
        scalars["vitals/gradient-misfit"] = np.exp(np.sqrt(np.square(nearest).mean()))
    return {tag: float(value) for tag, value in scalars.items()}


def as_array(value):
    """On the host, float32; PyTorch's are taken out of the graph first."""
    for step in ("detach", "float", "cpu"):
        if hasattr(value, step) and not isinstance(value, np.ndarray):
            value = getattr(value, step)()
    return np.ascontiguousarray(np.asarray(value, dtype=np.float32))


def check(kind, arrays):
    """Raises ValueError that names the array: a file that the Workbench cannot show helps nobody."""
    wanted = ("x", "xt", "muReal", "grad", "sigma")
    missing = [name for name in wanted if name not in arrays]
    if missing:
        raise ValueError("dmd_record: %s is missing; there are: %s" % (", ".join(missing), ", ".join(arrays)))
    x, sigma = arrays["x"], arrays["sigma"]
    if x.ndim != 4 or sigma.ndim != 1:
        raise ValueError("dmd_record: x is to be [B, C, H, W] and sigma [B], not %s and %s" % (x.shape, sigma.shape))
    shape = x.shape if kind == "training" else (len(sigma),) + x.shape
    for name in ("xt", "muReal", "muFake", "grad"):
        if name in arrays and arrays[name].shape != shape:
            raise ValueError("dmd_record: %s is %s, not %s" % (name, arrays[name].shape, shape))
    if kind == "training" and len(sigma) != len(x):
        raise ValueError("dmd_record: sigma has %d levels for %d samples" % (len(sigma), len(x)))


def write_safetensors(path, arrays, metadata):
    """float32 arrays by name, as https://github.com/huggingface/safetensors has it; to a temporary name, synced, renamed."""
    header, at = {"__metadata__": metadata}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    temporary = "%s.%d.tmp" % (path, os.getpid())
    with open(temporary, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for array in arrays.values():
            file.write(array.astype("<f4", copy=False).tobytes())
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
