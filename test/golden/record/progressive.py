"""Records iterations of progressive distillation across a halving, with PyTorch: test/golden/progressive/.

    python test/golden/record/progressive.py      (needs torch, safetensors)

Written from the paper (arXiv 2202.00512, Algorithm 2) for networks of EDM's kind (arXiv 2206.00364), where DDIM's step is Euler's in sigma:
a tiny random network, draws and real images included. A stage's teacher is a copy of the student before it, its optimizer a new one.
AdamW's epsilon is large, so that gradients which are all but zero do not become whole steps of either sign. Computed in float64.
"""
import copy
import json
import pathlib

import torch
from safetensors.torch import save_file

from tiny_edm import batch, image, network_config, new_teacher, noised, sigma_data, some_labels

target_folder = pathlib.Path(__file__).resolve().parents[1] / "progressive"
target_folder.mkdir(exist_ok=True)
torch.manual_seed(20220201)
teacher = new_teacher()
optimizer = dict(lr=2e-3, betas=[0.9, 0.999], eps=1e-3)


def euler(net, x, t, s, labels):
    """From sigma t to sigma s along the ODE's slope at t."""
    d = (x - net(x, t, labels)) / t.reshape(-1, 1, 1, 1)
    return x + (s - t).reshape(-1, 1, 1, 1) * d


def variant(name, io, steps, lengths, levels, weight, weight_decay, clip, linear):
    """A student through all of its stages."""
    student, before = copy.deepcopy(teacher).requires_grad_(True), teacher
    finest = 2 * steps[0]
    low, high = (levels[key] ** (1 / levels["rho"]) for key in ("sigmaMin", "sigmaMax"))
    ladder = torch.cat([(high + torch.arange(finest) / (finest - 1) * (low - high)) ** levels["rho"], torch.zeros(1)])
    iterations, i = [], 0

    def keep(key, value):
        io[f"{name}.{key}"] = value.detach().float().contiguous().clone()
        return value

    for count, length in zip(steps, lengths):
        adam = torch.optim.AdamW(
            student.parameters(), lr=optimizer["lr"], betas=tuple(optimizer["betas"]), eps=optimizer["eps"], weight_decay=weight_decay
        )
        stride = finest // count
        for own in range(1, length + 1):
            i += 1
            for group in adam.param_groups:
                group["lr"] = optimizer["lr"] * (1 - own / length if linear else 1)
            which = keep(f"which{i}", torch.randint(0, count, (batch,)))
            t, m, s = (ladder[which * stride + more] for more in (0, stride // 2, stride))
            x, labels, noise = keep(f"x{i}", image()), keep(f"labels{i}", some_labels()), keep(f"noise{i}", image())
            xt = noised(x, noise, t)
            with torch.no_grad():
                arrived = euler(before, euler(before, xt, t, m, labels), m, s, labels)
                # One step of the student, x + (s - t)/t (xt - x) begun at xt, ends there: solved for x.
                ratio = (s / t).reshape(-1, 1, 1, 1)
                target = (arrived - ratio * xt) / (1 - ratio)
            snr = 1 / t**2
            w = {"truncated-snr": snr.clamp(min=1), "snr+1": snr + 1}[weight].reshape(-1, 1, 1, 1)
            denoised = student(xt, t, labels)
            loss = (w * (denoised - target) ** 2).mean()
            adam.zero_grad()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(student.parameters(), clip)
            adam.step()
            keep(f"target{i}", target)
            keep(f"denoised{i}", denoised)
            iterations.append(dict(lossStudent=loss.item(), normGenerator=norm.item(), steps=count))
        before = copy.deepcopy(student).requires_grad_(False)
    for key, value in student.state_dict().items():
        keep(f"generator:model.{key}", value)
    return dict(
        name=name, steps=steps, lengths=lengths, levels=levels, weight=weight, weightDecay=weight_decay, clip=clip, linear=linear,
        iterations=iterations,
    )


def main():
    io = {}
    edm = dict(sigmaMin=0.002, sigmaMax=80.0, rho=7)
    short = dict(sigmaMin=0.05, sigmaMax=10.0, rho=3)
    variants = [
        variant("halving", io, [2, 1], [2, 2], edm, "truncated-snr", weight_decay=0.0, clip=1.0, linear=False),
        variant("linear", io, [4, 2], [2, 3], short, "snr+1", weight_decay=0.01, clip=0.01, linear=True),
    ]
    weights = {f"model.{key}": value.float().contiguous() for key, value in teacher.state_dict().items()}
    save_file(weights, target_folder / "weights.safetensors")
    save_file(io, target_folder / "io.safetensors")
    case = dict(
        kind="progressive", network=network_config, sigmaData=sigma_data, batch=batch, optimizer=optimizer, torch=torch.__version__,
        variants=variants,
    )
    (target_folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    for v in variants:
        print(v["name"], v["iterations"])


main()
