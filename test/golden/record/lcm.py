"""Records whole iterations of latent consistency distillation with PyTorch and diffusers' UNet2DConditionModel: test/golden/lcm/.

    python test/golden/record/lcm.py      (needs torch, diffusers)

Written from the paper (arXiv 2310.04378: Algorithm 1, Eq. 11, 13 and 14) for the tiny random network of latent_dmd.py, whose weights it reads:
variants of three iterations each, draws and latents included. AdamW's epsilon is large, so that gradients which are all but zero do not
become whole steps of either sign. Computed in float64 from float32 numbers.
"""
import json
import pathlib

import diffusers
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from safetensors.torch import load_file, save_file

here = pathlib.Path(__file__).resolve().parents[1]
folder = here / "lcm"
folder.mkdir(exist_ok=True)
torch.manual_seed(20231006)
torch.set_default_dtype(torch.float64)

other = json.loads((here / "latent-dmd" / "case.json").read_text())
weights = {key: value.double() for key, value in load_file(here / "latent-dmd" / "weights.safetensors").items()}
tokens, last, batch = other["tokens"], other["generatorTimestep"], 3
acp = DDIMScheduler(**other["scheduler"]).alphas_cumprod.double()
optimizer = other["optimizer"]


def network():
    net = UNet2DConditionModel(**other["unet"]).eval()
    net.load_state_dict(weights)
    return net


teacher = network().requires_grad_(False)


def level(t):
    a = acp[t].reshape(-1, 1, 1, 1)
    return a.sqrt(), (1 - a).sqrt()


def both_of(kind, xt, prediction, t):
    """The clean latents and the noise behind x_t."""
    alpha, sigma = level(t)
    if kind == "epsilon":
        return (xt - sigma * prediction) / alpha, prediction
    return alpha * xt - sigma * prediction, sigma * xt + alpha * prediction


def consistency(net, kind, xt, t, context, scaling):
    clean, _ = both_of(kind, xt, net(xt, t, context).sample, t)
    u = (scaling * t.double()).reshape(-1, 1, 1, 1)
    return 0.25 / (u**2 + 0.25) * xt + u / (u**2 + 0.25).sqrt() * clean


def draw(*shape):
    """Standard normal, exact in float32."""
    return torch.randn(*shape, dtype=torch.float32).double()


def variant(name, kind, omega, distance, decay, skip, scaling, clip, io, huber_c=0.001):
    """Generator and target through three iterations."""
    generator, target = network(), network()
    adam = torch.optim.AdamW(generator.parameters(), **{**optimizer, "betas": tuple(optimizer["betas"])})
    iterations = []

    def keep(key, value):
        io[f"{name}.{key}"] = value.detach().float().contiguous().clone()
        return value

    unconditional = keep("unconditional", 2 * draw(1, tokens, 6))
    for i in range(1, 4):
        real, context, noise = keep(f"real{i}", draw(batch, 4, 4, 4)), keep(f"context{i}", 2 * draw(batch, tokens, 6)), keep(f"noise{i}", draw(batch, 4, 4, 4))
        # The lowest step comes too: it ends at timestep 0, where the target returns what it is given.
        index = torch.randint(0, 1000 // skip, (batch,))
        index[0] = 0 if i == 2 else index[0]
        t = (keep(f"index{i}", index) + 1) * skip - 1
        after = (t - skip).clamp(min=0)
        alpha, sigma = level(t)
        xt = alpha * real + sigma * noise
        x = consistency(generator, kind, xt, t, context, scaling)
        with torch.no_grad():
            clean, seen = both_of(kind, xt, teacher(xt, t, context).sample, t)
            if omega:
                w = keep(f"omega{i}", (omega[0] + (omega[1] - omega[0]) * torch.rand(batch)).float().double()).reshape(-1, 1, 1, 1)
                bare, noise_seen = both_of(kind, xt, teacher(xt, t, unconditional.expand(batch, -1, -1)).sample, t)
                clean, seen = clean + w * (clean - bare), seen + w * (seen - noise_seen)
            alpha_after, sigma_after = level(after)
            x_after = alpha_after * clean + sigma_after * seen
            aim = consistency(target, kind, x_after, after, context, scaling)
        if distance == "l2":
            loss = ((x - aim) ** 2).mean()
        else:
            loss = (((x - aim) ** 2 + huber_c**2).sqrt() - huber_c).mean()
        adam.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(generator.parameters(), clip)
        adam.step()
        with torch.no_grad():
            for p, q in zip(target.parameters(), generator.parameters()):
                p.copy_(decay * p + (1 - decay) * q)
        for key, value in dict(x=x, xNext=x_after, xTarget=aim).items():
            keep(f"{key}{i}", value)
        iterations.append(dict(lossConsistency=loss.item(), normGenerator=norm.item()))
    kept = dict(parameters=generator, target=target) if decay else dict(parameters=generator)
    for part, net in kept.items():
        for key, value in net.state_dict().items():
            keep(f"{part}:{key}", value)
    z, context, t = keep("z", draw(batch, 4, 4, 4)), keep("context", 2 * draw(batch, tokens, 6)), torch.full((batch,), last)
    with torch.no_grad():
        keep("once", consistency(generator, kind, z, t, context, scaling))
    return dict(
        name=name, prediction=kind, omega=omega, distance=distance, huberC=huber_c, decay=decay, skip=skip, scaling=scaling, clip=clip,
        iterations=iterations,
    )


def main():
    io = {}
    variants = [
        variant("guided", "epsilon", [2.0, 14.0], "huber", 0.8, 20, 10.0, 10.0, io),
        variant("plain", "v_prediction", None, "l2", 0, 50, 0.5, 0.05, io),
    ]
    save_file(io, folder / "io.safetensors")
    case = dict(kind="lcm", batch=batch, torch=torch.__version__, diffusers=diffusers.__version__, variants=variants)
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    for v in variants:
        print(v["name"], v["iterations"])


main()
