"""Records whole iterations of consistency distillation with PyTorch: test/golden/consistency/.

    python test/golden/record/consistency.py      (needs torch, safetensors)

Written from the paper (arXiv 2303.01469: Algorithm 2 and Appendix C; EDM's network, arXiv 2206.00364) for a tiny random network: variants of
three iterations each, draws and real images included. f is computed from the raw network with the paper's own scalings. AdamW's epsilon
is large, so that gradients which are all but zero do not become whole steps of either sign. Computed in float64 from float32 numbers.
"""
import json
import pathlib

import torch
from safetensors.torch import save_file

from tiny_edm import Network, batch, image, network_config, new_teacher, noised, sigma_data, some_labels

folder = pathlib.Path(__file__).resolve().parents[1] / "consistency"
folder.mkdir(exist_ok=True)
torch.manual_seed(20230302)
optimizer = dict(lr=2e-3, betas=[0.9, 0.999], eps=1e-3, weight_decay=0.01)
teacher = new_teacher()


def karras(count, low, high, rho=7):
    """Ascending."""
    ramp = torch.arange(count) / (count - 1)
    return (low ** (1 / rho) + ramp * (high ** (1 / rho) - low ** (1 / rho))) ** rho


def over(sigma):
    return sigma.reshape(-1, 1, 1, 1)


def consistency(net, x, sigma, labels, lowest):
    """c_skip x + c_out F, where F is what the network gives before EDM's own scalings."""
    s = over(sigma)
    root = (s**2 + sigma_data**2).sqrt()
    raw = (net(x, sigma, labels) - sigma_data**2 / root**2 * x) / (s * sigma_data / root)
    return sigma_data**2 / ((s - lowest) ** 2 + sigma_data**2) * x + sigma_data * (s - lowest) / root * raw


def step(x, high, low, labels, solver):
    slope = (x - teacher(x, high, labels)) / over(high)
    euler = x + over(low - high) * slope
    if solver == "euler":
        return euler
    ahead = (euler - teacher(euler, low, labels)) / over(low)
    return x + over(low - high) * (slope + ahead) / 2


def variant(name, io, count, solver, decay, clip=10.0, lowest=0.002, highest=80.0, ema=0.5):
    """Generator, target and a further average through three iterations."""
    sigmas = karras(count, lowest, highest)
    generator, target, average = Network(), Network(), Network()
    for net in (generator, target, average):
        net.load_state_dict(teacher.state_dict())
    adam = torch.optim.AdamW(generator.parameters(), **{**optimizer, "betas": tuple(optimizer["betas"])})
    iterations = []

    def keep(key, value):
        io[f"{name}.{key}"] = value.detach().float().contiguous().clone()
        return value

    def follow(net, mu):
        with torch.no_grad():
            for p, q in zip(net.parameters(), generator.parameters()):
                p.copy_(mu * p + (1 - mu) * q)

    for i in range(1, 4):
        real, labels = keep(f"real{i}", image()), keep(f"labels{i}", some_labels())
        # The lowest step comes too: there the target is what the teacher's step leads to.
        drawn = torch.randint(0, count - 1, (batch,))
        drawn[0] = 0 if i == 1 else drawn[0]
        n, noise = keep(f"n{i}", drawn), keep(f"noise{i}", image())
        low, high = sigmas[n], sigmas[n + 1]
        xt = noised(real, noise, high)
        x = consistency(generator, xt, high, labels, lowest)
        with torch.no_grad():
            after = step(xt, high, low, labels, solver)
            aim = consistency(target, after, low, labels, lowest)
        loss = ((x - aim) ** 2).mean()
        adam.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(generator.parameters(), clip)
        adam.step()
        follow(target, decay)
        follow(average, ema)
        for key, value in dict(x=x, xNext=after, xTarget=aim).items():
            keep(f"{key}{i}", value)
        iterations.append(dict(lossConsistency=loss.item(), normGenerator=norm.item()))
    kept = dict(parameters=generator, ema=average, target=target) if name == "heun" else dict(parameters=generator)
    for part, net in kept.items():
        for key, value in net.state_dict().items():
            keep(f"{part}:model.{key}", value)
    # Two calls of what was trained, as Algorithm 1 has them but for a noise of the whole level.
    z, again, labels, middle = keep("z", image()), keep("again", image()), keep("labels", some_labels()), 0.8
    with torch.no_grad():
        first = consistency(generator, highest * z, torch.full((batch,), highest), labels, lowest)
        keep("once", first)
        keep("twice", consistency(generator, first + middle * again, torch.full((batch,), middle), labels, lowest))
    return dict(
        name=name, count=count, solver=solver, decay=decay, clip=clip, sigmaMin=lowest, sigmaMax=highest, ema=ema, middle=middle,
        iterations=iterations,
    )


def main():
    io = {}
    variants = [
        variant("heun", io, count=18, solver="heun", decay=0.8),
        variant("euler", io, count=5, solver="euler", decay=0, clip=0.001, lowest=0.05, highest=20.0),
    ]
    save_file({f"model.{key}": value.float().contiguous() for key, value in teacher.state_dict().items()}, folder / "weights.safetensors")
    save_file(io, folder / "io.safetensors")
    case = dict(
        kind="consistency", network=network_config, sigmaData=sigma_data, batch=batch, optimizer=optimizer, torch=torch.__version__,
        variants=variants,
    )
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    for v in variants:
        print(v["name"], v["iterations"])


main()
