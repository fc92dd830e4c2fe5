"""Records whole iterations of DMD2 with PyTorch: test/golden/dmd2/.

    python test/golden/record/dmd2.py      (needs torch, safetensors)

Written from the papers (DMD2, arXiv 2405.14867; f-distill, arXiv 2502.15681; EDM's network, arXiv 2206.00364) for a tiny random network:
variants of three iterations each, draws and real images included. AdamW's epsilon is large, so that gradients which are all but zero
do not become whole steps of either sign. Computed in float64 from float32 weights and draws.
"""
import json
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from tiny_edm import (
    Network, batch, called_at, channels, image, levels, network_config, new_teacher, noised, rounded, sigma_data, sigmas, some_labels,
)

target = pathlib.Path(__file__).resolve().parents[1] / "dmd2"
target.mkdir(exist_ok=True)
torch.manual_seed(20240523)

optimizer = dict(lr=2e-3, betas=[0.9, 0.999], eps=1e-3, weight_decay=0.01)


class Head(torch.nn.Module):
    """8 x 8 features, halved once, then all of them at once."""

    def __init__(self):
        super().__init__()
        c = channels
        self.conv0, self.norm0 = torch.nn.Conv2d(c, c, 4, stride=2, padding=1), torch.nn.GroupNorm(c // 4, c)
        self.conv1, self.norm1 = torch.nn.Conv2d(c, c, 4), torch.nn.GroupNorm(c // 4, c)
        self.out = torch.nn.Conv2d(c, 1, 1)

    def forward(self, features):
        h = F.silu(self.norm0(self.conv0(features)))
        return self.out(F.silu(self.norm1(self.conv1(h)))).flatten()


teacher = new_teacher()
first_head = rounded(Head())


weights_of = {
    "reverse-kl": lambda r: torch.ones_like(r),
    "jensen-shannon": lambda r: r / (1 + r),
    "forward-kl": lambda r: r,
}


def variant(name, io, fake_updates=2, clip=10.0, trains_trunk=True, features="fake", r1=0.0, divergence="reverse-kl", steps=()):
    """Generator, fake score and head through three iterations."""
    generator, fake, head = Network(), Network(), Head()
    for net in (generator, fake):
        net.load_state_dict(teacher.state_dict())
    head.load_state_dict(first_head.state_dict())
    rates = [torch.optim.AdamW(n.parameters(), **{**optimizer, "betas": tuple(optimizer["betas"])}) for n in (generator, fake, head)]
    gan_weight, head_weight, beside = 0.3, 0.5, 0.05
    at = [called_at, *steps]
    iterations = []

    def keep(key, value):
        io[f"{name}.{key}"] = value.detach().float().contiguous().clone()
        return value

    def level(key, first=0, last=levels["count"] - 1):
        return sigmas[keep(key, torch.randint(first, last + 1, (batch,))).long()]

    def told(xt, sigma, labels):
        return head((teacher if features == "teacher" else fake).features(xt, sigma, labels))

    def begun(tag, labels):
        """What the generator is called on, and at which noise: pure noise, or its own earlier images with noise again."""
        sigma = torch.full((batch,), at[0])
        given = at[0] * keep(f"z{tag}", image())
        if len(at) == 1:
            return given, sigma
        chosen = keep(f"chosen{tag}", torch.randint(0, len(at), (1,))).item()
        with torch.no_grad():
            for k in range(1, chosen + 1):
                x = generator(given, sigma, labels)
                sigma = torch.full((batch,), at[k])
                given = noised(x, keep(f"again{tag}.{k}", image()), sigma)
        return given, sigma

    for i in range(1, 4):
        labels = keep(f"labels{i}", some_labels())
        given, sigma_in = begun(i, labels)
        x = generator(given, sigma_in, labels)
        sigma, noise = level(f"t{i}", 20, 980), keep(f"noise{i}", image())
        with torch.no_grad():
            xt = noised(x, noise, sigma)
            real, wrong = teacher(xt, sigma, labels), fake(xt, sigma, labels)
            grad = (wrong - real) / (x - real).abs().mean(dim=(1, 2, 3), keepdim=True)
            ratio = told(xt, sigma, labels).clamp(-5, 5).exp()
            h = weights_of[divergence](ratio)
            h = (h / h.mean()).reshape(-1, 1, 1, 1)
        sigma_gan, noise_gan = level(f"ganT{i}"), keep(f"ganNoise{i}", image())
        loss_gan = F.softplus(-told(noised(x, noise_gan, sigma_gan), sigma_gan, labels)).mean()
        rates[0].zero_grad()
        ((x * h * grad).mean() + gan_weight * loss_gan).backward()
        norm_generator = torch.nn.utils.clip_grad_norm_(generator.parameters(), clip)
        rates[0].step()
        numbers = dict(lossMatching=0.5 * (grad**2).mean(), lossGan=loss_gan, normGenerator=norm_generator)
        keep(f"x{i}", x)
        keep(f"grad{i}", grad)
        for u in range(fake_updates):
            tag = f"{i}-{u}"
            own, of = x.detach(), labels
            if u > 0:
                of = keep(f"labels{tag}", some_labels())
                with torch.no_grad():
                    own = generator(*begun(tag, of), of)
            sigma, noise = level(f"fakeT{tag}"), keep(f"fakeNoise{tag}", image())
            weight = (1 / sigma**2 + 1 / sigma_data**2).reshape(-1, 1, 1, 1)
            loss_fake = (weight * (fake(noised(own, noise, sigma), sigma, of) - own) ** 2).mean()
            true, of_true = keep(f"real{tag}", image()), keep(f"realLabels{tag}", some_labels())
            sigma_f, noise_f = level(f"ofFakeT{tag}"), keep(f"ofFakeNoise{tag}", image())
            sigma_r, noise_r = level(f"ofRealT{tag}"), keep(f"ofRealNoise{tag}", image())
            logits_fake = told(noised(own, noise_f, sigma_f), sigma_f, of)
            logits_real = told(noised(true, noise_r, sigma_r), sigma_r, of_true)
            loss_head = F.softplus(logits_fake).mean() + F.softplus(-logits_real).mean()
            penalty = torch.zeros(())
            if r1 > 0:
                moved = true + beside * keep(f"beside{tag}", image())
                near = told(noised(moved, noise_r, sigma_r), sigma_r, of_true)
                penalty = r1 / 2 * (((near - logits_real) / beside) ** 2).mean()
            weighed = head_weight * (loss_head + penalty)
            rates[1].zero_grad()
            rates[2].zero_grad()
            if trains_trunk and features == "fake":
                (loss_fake + weighed).backward()
            else:
                of_head = torch.autograd.grad(weighed, list(head.parameters()), retain_graph=True)
                loss_fake.backward()
                for p, g in zip(head.parameters(), of_head):
                    p.grad = g
            norm_fake = torch.nn.utils.clip_grad_norm_(fake.parameters(), clip)
            norm_head = torch.nn.utils.clip_grad_norm_(head.parameters(), clip)
            rates[1].step()
            rates[2].step()
        right = ((logits_real > 0).double().mean() + (logits_fake < 0).double().mean()) / 2
        numbers |= dict(
            lossFake=loss_fake, lossDiscriminator=loss_head, penaltyR1=penalty, logitReal=logits_real.mean(),
            logitFake=logits_fake.mean(), right=right, normFake=norm_fake, normDiscriminator=norm_head,
        )
        iterations.append({key: value.item() for key, value in numbers.items()})
    for part, net, prefix in (("generator", generator, "model."), ("fake", fake, "model."), ("discriminator", head, "")):
        # The head's are small; the others' of two variants are enough.
        for key, value in net.state_dict().items() if net is head or name in ("trunk", "steps") else ():
            keep(f"{part}:{prefix}{key}", value)
    return dict(
        name=name, fakeUpdates=fake_updates, clip=clip, trainsTrunk=trains_trunk, features=features, r1=r1, r1Noise=beside,
        divergence=divergence, steps=list(steps), generatorWeight=gan_weight, discriminatorWeight=head_weight, iterations=iterations,
    )


def main():
    io = {}
    variants = [
        variant("trunk", io),
        variant("head", io, fake_updates=1, clip=0.02, trains_trunk=False, r1=0.4, divergence="jensen-shannon"),
        variant("teacher", io, fake_updates=1, features="teacher", divergence="forward-kl"),
        variant("steps", io, steps=(8.0, 1.5, 0.4)),
    ]
    named = {f"model.{key}": value for key, value in teacher.state_dict().items()}
    named |= {f"head.{key}": value for key, value in first_head.state_dict().items()}
    save_file({key: value.float().contiguous() for key, value in named.items()}, target / "weights.safetensors")
    save_file(io, target / "io.safetensors")
    case = dict(
        kind="dmd2", network=network_config, generatorSigma=called_at, sigmaData=sigma_data, levels=levels, batch=batch,
        optimizer=optimizer, torch=torch.__version__, variants=variants,
    )
    (target / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    for v in variants:
        print(v["name"], v["iterations"])


main()
