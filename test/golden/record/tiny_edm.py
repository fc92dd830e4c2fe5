"""A tiny random network of EDM's kind (arXiv 2206.00364), its noise levels, and draws that float32 holds exactly.

What the recorders of whole iterations have in common. Everything is computed in float64; the random state is the recorder's.
"""
import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)

side, channels, colours, classes = 16, 8, 1, 3
network_config = dict(
    img_resolution=side, img_channels=colours, label_dim=classes, model_type="SongUNet", model_channels=channels,
    channel_mult=[1, 1], num_blocks=1, attn_resolutions=[], dropout=0,
)
sigma_data, called_at = 0.5, 80.0
levels = dict(count=1000, sigmaMin=0.002, sigmaMax=80.0, rho=7)
ramp = torch.arange(levels["count"]) / (levels["count"] - 1)
low, high = levels["sigmaMin"] ** (1 / 7), levels["sigmaMax"] ** (1 / 7)
sigmas = (low + ramp * (high - low)) ** 7
batch = 2


class Block(torch.nn.Module):
    """A residual block under a noise embedding, with one head of self-attention where asked for."""

    def __init__(self, cin, cout, resample=None, attention=False):
        super().__init__()
        self.resample = resample
        self.norm0 = norm(cin)
        self.conv0 = torch.nn.Conv2d(cin, cout, 3, padding=1)
        self.affine = torch.nn.Linear(4 * channels, cout)
        self.norm1 = norm(cout)
        self.conv1 = torch.nn.Conv2d(cout, cout, 3, padding=1)
        if cin != cout or resample:
            self.skip = torch.nn.Conv2d(cin, cout, 1)
        if attention:
            self.norm2 = norm(cout)
            self.qkv = torch.nn.Conv2d(cout, 3 * cout, 1)
            self.proj = torch.nn.Conv2d(cout, cout, 1)

    def sized(self, x):
        if self.resample == "down":
            return F.avg_pool2d(x, 2)
        return F.interpolate(x, scale_factor=2, mode="nearest") if self.resample == "up" else x

    def forward(self, x, emb):
        h = self.conv0(self.sized(F.silu(self.norm0(x))))
        h = self.conv1(F.silu(self.norm1(h + self.affine(emb)[:, :, None, None])))
        skip = self.sized(x)
        h = (h + (self.skip(skip) if hasattr(self, "skip") else skip)) * math.sqrt(0.5)
        if not hasattr(self, "qkv"):
            return h
        n, c, height, width = h.shape
        q, k, v = self.qkv(self.norm2(h)).reshape(n, c, 3, -1).unbind(2)
        weights = torch.softmax(q.transpose(1, 2) @ k / math.sqrt(c), dim=-1)
        mixed = (v @ weights.transpose(1, 2)).reshape(n, c, height, width)
        return (h + self.proj(mixed)) * math.sqrt(0.5)


def norm(c):
    return torch.nn.GroupNorm(min(32, c // 4), c, eps=1e-6)


class Network(torch.nn.Module):
    """EDM's DDPM++ of two resolutions, with its preconditioning."""

    def __init__(self):
        super().__init__()
        c = channels
        self.map_label = torch.nn.Linear(classes, c)
        self.map_layer0, self.map_layer1 = torch.nn.Linear(c, 4 * c), torch.nn.Linear(4 * c, 4 * c)
        self.enc = torch.nn.ModuleDict({
            "16x16_conv": torch.nn.Conv2d(colours, c, 3, padding=1), "16x16_block0": Block(c, c),
            "8x8_down": Block(c, c, "down"), "8x8_block0": Block(c, c),
        })
        self.dec = torch.nn.ModuleDict({
            "8x8_in0": Block(c, c, attention=True), "8x8_in1": Block(c, c),
            "8x8_block0": Block(2 * c, c), "8x8_block1": Block(2 * c, c),
            "16x16_up": Block(c, c, "up"), "16x16_block0": Block(2 * c, c), "16x16_block1": Block(2 * c, c),
            "16x16_aux_norm": norm(c), "16x16_aux_conv": torch.nn.Conv2d(c, colours, 3, padding=1),
        })

    def encode(self, x, sigma, labels):
        s = sigma.reshape(-1, 1, 1, 1)
        half = channels // 2
        angles = (sigma.log() / 4)[:, None] * 10000 ** -(torch.arange(half) / (half - 1))
        emb = torch.cat([angles.sin(), angles.cos()], 1) + self.map_label(labels * math.sqrt(classes))
        emb = F.silu(self.map_layer1(F.silu(self.map_layer0(emb))))
        h = self.enc["16x16_conv"](x / (s**2 + sigma_data**2).sqrt())
        skips = [h]
        for name in ["16x16_block0", "8x8_down", "8x8_block0"]:
            skips.append(self.enc[name](skips[-1], emb))
        return skips, emb

    def features(self, x, sigma, labels):
        return self.encode(x, sigma, labels)[0][-1]

    def forward(self, x, sigma, labels):
        s = sigma.reshape(-1, 1, 1, 1)
        skips, emb = self.encode(x, sigma, labels)
        h = skips[-1]
        for name in ["8x8_in0", "8x8_in1"]:
            h = self.dec[name](h, emb)
        for name in ["8x8_block0", "8x8_block1"]:
            h = self.dec[name](torch.cat([h, skips.pop()], 1), emb)
        h = self.dec["16x16_up"](h, emb)
        for name in ["16x16_block0", "16x16_block1"]:
            h = self.dec[name](torch.cat([h, skips.pop()], 1), emb)
        raw = self.dec["16x16_aux_conv"](F.silu(self.dec["16x16_aux_norm"](h)))
        root = (s**2 + sigma_data**2).sqrt()
        return sigma_data**2 / root**2 * x + s * sigma_data / root * raw


def rounded(module):
    """Weights that float32 holds exactly."""
    module.load_state_dict({key: value.float().double() for key, value in module.state_dict().items()})
    return module


def new_teacher():
    """With weights of the random state as it is."""
    teacher = Network()
    with torch.no_grad():
        for p in teacher.parameters():
            p.copy_(0.1 * torch.randn_like(p) if p.dim() < 2 else 1.5 * p)
    return rounded(teacher).requires_grad_(False)


def draw(*shape):
    """Standard normal, exact in float32."""
    return torch.randn(*shape, dtype=torch.float32).double()


def image():
    return draw(batch, colours, side, side)


def some_labels():
    return F.one_hot(torch.randint(0, classes, (batch,)), classes).double()


def noised(x, noise, sigma):
    return x + sigma.reshape(-1, 1, 1, 1) * noise
