"""Records whole iterations of Diff-Instruct with PyTorch: test/golden/diff-instruct/.

    python test/golden/record/diff_instruct.py      (needs torch, safetensors)

Written from the paper (arXiv 2305.18455) and EDM's (arXiv 2206.00364) for a tiny random network: variants of three iterations each, draws
included. The gradient is written in scores, w(t) (s_fake - s_real) with w = sigma^2. Noise is log-normal, rounded to the nearest of 1000
levels. AdamW's epsilon is large, so that gradients which are all but zero do not become whole steps of either sign. Computed in float64.
"""
import json
import pathlib

import torch
from safetensors.torch import save_file

from tiny_edm import Network, batch, draw, image, levels, network_config, new_teacher, noised, sigma_data, sigmas, some_labels

target = pathlib.Path(__file__).resolve().parents[1] / "diff-instruct"
target.mkdir(exist_ok=True)
torch.manual_seed(20230529)
teacher = new_teacher()
optimizer = dict(lr=2e-3, betas=[0.0, 0.999], eps=1e-3, weight_decay=0.0)


def variant(name, io, fake_updates, called_at, mean, std, clip=None):
    """Generator and fake score through three iterations."""
    generator, fake = Network(), Network()
    for net in (generator, fake):
        net.load_state_dict(teacher.state_dict())
    adam = {**optimizer, "betas": tuple(optimizer["betas"])}
    of_generator, of_fake = (torch.optim.AdamW(net.parameters(), **adam) for net in (generator, fake))
    iterations = []

    def keep(key, value):
        io[f"{name}.{key}"] = value.detach().float().contiguous().clone()
        return value

    def level(key):
        wanted = mean + std * keep(f"{key}Normal", draw(batch))
        chosen = (sigmas.log()[None] - wanted[:, None]).abs().argmin(1)
        return sigmas[keep(f"{key}Level", chosen)]

    def made(tag):
        labels = keep(f"labels{tag}", some_labels())
        return generator(called_at * keep(f"z{tag}", image()), torch.full((batch,), called_at), labels), labels

    def norm(net):
        if clip is not None:
            return torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
        return torch.stack([p.grad.norm() for p in net.parameters()]).norm()

    for i in range(1, 4):
        x, labels = made(f"{i}")
        sigma, noise = level(f"matching{i}"), keep(f"matchingNoise{i}", image())
        s = sigma.reshape(-1, 1, 1, 1)
        with torch.no_grad():
            xt = noised(x, noise, sigma)
            score_real, score_fake = ((net(xt, sigma, labels) - xt) / s**2 for net in (teacher, fake))
            grad = s**2 * (score_fake - score_real)
        of_generator.zero_grad()
        (grad * x).mean().backward()
        numbers = dict(lossMatching=0.5 * (grad**2).mean(), normGenerator=norm(generator))
        of_generator.step()
        keep(f"x{i}", x)
        keep(f"grad{i}", grad)
        for u in range(fake_updates):
            tag = f"{i}-{u}"
            own, of = x.detach(), labels
            if u > 0:
                with torch.no_grad():
                    own, of = made(tag)
            sigma, noise = level(f"fake{tag}"), keep(f"fakeNoise{tag}", image())
            weight = ((sigma**2 + sigma_data**2) / (sigma * sigma_data) ** 2).reshape(-1, 1, 1, 1)
            loss = (weight * (fake(noised(own, noise, sigma), sigma, of) - own) ** 2).mean()
            of_fake.zero_grad()
            loss.backward()
            numbers |= dict(lossFake=loss, normFake=norm(fake))
            of_fake.step()
        iterations.append({key: value.item() for key, value in numbers.items()})
    for part, net in (("generator", generator), ("fake", fake)):
        for key, value in net.state_dict().items():
            keep(f"{part}:model.{key}", value)
    return dict(
        name=name, fakeUpdates=fake_updates, generatorSigma=called_at, logMean=mean, logStd=std, clip=clip, iterations=iterations,
    )


def main():
    io = {}
    variants = [
        variant("one", io, fake_updates=1, called_at=1.0, mean=-1.2, std=1.2),
        variant("three", io, fake_updates=3, called_at=80.0, mean=0.4, std=2.0, clip=0.02),
    ]
    weights = {f"model.{key}": value.float().contiguous() for key, value in teacher.state_dict().items()}
    save_file(weights, target / "weights.safetensors")
    save_file(io, target / "io.safetensors")
    case = dict(
        kind="diff-instruct", network=network_config, sigmaData=sigma_data, levels=levels, batch=batch, optimizer=optimizer,
        torch=torch.__version__, variants=variants,
    )
    (target / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    for v in variants:
        print(v["name"], v["iterations"])


main()
