"""Records whole iterations of latent distillation with PyTorch and diffusers' UNet2DConditionModel: test/golden/latent-dmd/.

    python test/golden/record/latent_dmd.py      (needs torch, diffusers)

Written from the paper (arXiv 2311.18828, Algorithm 1, Eq. 7 and 8, Section 4.2) for a tiny random network: two variants of
three iterations each, draws and pairs included. AdamW's epsilon is large, so that gradients which are all but zero do not
become whole steps of either sign. Computed in float64 from float32 weights and draws.
"""
import json
import pathlib

import diffusers
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from safetensors.torch import save_file

target = pathlib.Path(__file__).resolve().parents[1] / "latent-dmd"
target.mkdir(exist_ok=True)
torch.manual_seed(20231128)
torch.set_default_dtype(torch.float64)

unet_config = dict(
    sample_size=4,
    in_channels=4,
    out_channels=4,
    down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"],
    up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"],
    block_out_channels=[8, 16],
    layers_per_block=1,
    norm_num_groups=4,
    cross_attention_dim=6,
    attention_head_dim=2,
)
tokens, last = 5, 999
schedule = dict(num_train_timesteps=1000, beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
acp = DDIMScheduler(**schedule).alphas_cumprod.double()
optimizer = dict(lr=2e-3, betas=[0.9, 0.999], eps=1e-3, weight_decay=0.01)


def network():
    net = UNet2DConditionModel(**unet_config).eval()
    return net


teacher = network()
with torch.no_grad():
    for name, p in teacher.named_parameters():
        if p.dim() < 2:
            p.add_(0.1 * torch.randn_like(p))
        else:
            p.mul_(1.6 if ".attn2." in name else 1.3)
teacher.load_state_dict({key: value.float().double() for key, value in teacher.state_dict().items()})
teacher.requires_grad_(False)


def level(t):
    a = acp[t].reshape(-1, 1, 1, 1)
    return a.sqrt(), (1 - a).sqrt()


def x0_of(kind, xt, prediction, t):
    alpha, sigma = level(t)
    return (xt - sigma * prediction) / alpha if kind == "epsilon" else alpha * xt - sigma * prediction


def target_of(kind, x, noise, t):
    alpha, sigma = level(t)
    return noise if kind == "epsilon" else alpha * noise - sigma * x


def noised(x, noise, t):
    alpha, sigma = level(t)
    return alpha * x + sigma * noise


def draw(*shape):
    """Standard normal, exact in float32."""
    return torch.randn(*shape, dtype=torch.float32).double()


def variant(name, kind, guidance, weight, batch, paired, clip, weight_lambda, io):
    generator, fake = network(), network()
    for net in (generator, fake):
        net.load_state_dict(teacher.state_dict())
    optimizers = [torch.optim.AdamW(n.parameters(), **{**optimizer, "betas": tuple(optimizer["betas"])}) for n in (generator, fake)]
    count = batch + paired
    iterations = []

    def keep(key, value):
        io[f"{name}.{key}"] = value.detach().float().contiguous().clone()

    unconditional = 2 * draw(1, tokens, 6)
    keep("unconditional", unconditional)
    for i in range(1, 4):
        z = draw(count, 4, 4, 4)
        context = 2 * draw(count, tokens, 6)
        noise, fake_noise = draw(count, 4, 4, 4), draw(count, 4, 4, 4)
        t, fake_t = torch.randint(20, 981, (count,)), torch.randint(0, 1000, (count,))
        y = draw(paired, 4, 4, 4)
        for key, value in dict(z=z, context=context, noise=noise, fakeNoise=fake_noise, y=y, t=t, fakeT=fake_t).items():
            if value.numel():
                keep(f"{key}{i}", value)
        full = torch.full((count,), last)
        x = x0_of(kind, z, generator(z, full, context).sample, full)
        with torch.no_grad():
            xt = noised(x, noise, t)
            real = teacher(xt, t, context).sample
            if guidance > 1:
                empty = teacher(xt, t, unconditional.expand(count, -1, -1)).sample
                real = empty + guidance * (real - empty)
            mu_real = x0_of(kind, xt, real, t)
            mu_fake = x0_of(kind, xt, fake(xt, t, context).sample, t)
            grad = (mu_fake - mu_real) / (x - mu_real).abs().mean(dim=(1, 2, 3), keepdim=True)
            if weight == "eq8-alpha":
                grad = grad * level(t)[0]
        loss_dm = 0.5 * torch.nn.functional.mse_loss(x, (x - grad).detach())
        loss_reg = torch.nn.functional.mse_loss(x[batch:], y) if paired else torch.zeros(())
        optimizers[0].zero_grad()
        (loss_dm + weight_lambda * loss_reg).backward()
        norm_g = torch.nn.utils.clip_grad_norm_(generator.parameters(), clip)
        x_detached = x.detach()
        prediction = fake(noised(x_detached, fake_noise, fake_t), fake_t, context).sample
        loss_fake = torch.nn.functional.mse_loss(prediction, target_of(kind, x_detached, fake_noise, fake_t))
        optimizers[1].zero_grad()
        loss_fake.backward()
        norm_f = torch.nn.utils.clip_grad_norm_(fake.parameters(), clip)
        for o in optimizers:
            o.step()
        keep(f"x{i}", x)
        keep(f"grad{i}", grad)
        numbers = dict(lossMatching=loss_dm, lossRegression=loss_reg, lossFake=loss_fake, normGenerator=norm_g, normFake=norm_f)
        iterations.append({key: value.item() for key, value in numbers.items()})
    for part, net in (("generator", generator), ("fake", fake)):
        for key, value in net.state_dict().items():
            keep(f"{part}:{key}", value)
    return dict(
        name=name, prediction=kind, guidance=guidance, weight=weight, batch=batch, paired=paired, clip=clip,
        **{"lambda": weight_lambda}, iterations=iterations,
    )


io = {}
variants = [
    variant("guided", "epsilon", 3.0, "eq8", 2, 1, 10.0, 0.25, io),
    variant("plain", "v_prediction", 1.0, "eq8-alpha", 2, 0, 0.05, 0.0, io),
]
save_file({key: value.float().contiguous() for key, value in teacher.state_dict().items()}, target / "weights.safetensors")
save_file(io, target / "io.safetensors")
case = dict(
    kind="latent-dmd", unet=unet_config, scheduler=schedule, tokens=tokens, generatorTimestep=last, optimizer=optimizer,
    torch=torch.__version__, diffusers=diffusers.__version__, variants=variants,
)
(target / "case.json").write_text(json.dumps(case, indent=1) + "\n")
for v in variants:
    print(v["name"], v["iterations"])
