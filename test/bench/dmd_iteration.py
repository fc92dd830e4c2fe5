"""The DMD iteration of `dmd-iteration.bench.ts` in PyTorch: written from the papers (EDM, arXiv 2206.00364; DMD, arXiv
2311.18828), independent of this project's code, and as fast as eager PyTorch on a CPU allows.

    python dmd_iteration.py CASE.safetensors RESULT.safetensors --threads N [--layout contiguous|channels_last]

CASE holds the weights `generator.*`, `fake.*`, `teacher.*` (EDM's parameter names), the draws of one iteration and, in
its metadata, the network and the settings. The first iteration's losses, gradient norms, moments and weights go to RESULT;
then every line read from standard input runs one more iteration, on fresh draws, and answers with its milliseconds and
those of its parts as JSON.
"""
import argparse
import json
import math
import struct
import sys
import time

import torch
import torch.nn.functional as F


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        assert entry["dtype"] == "F32", name
        begin, end = entry["data_offsets"]
        tensor = torch.frombuffer(data, dtype=torch.float32, offset=begin, count=(end - begin) // 4)
        tensors[name] = tensor.reshape(entry["shape"]).clone()
    return tensors, metadata


def write_safetensors(path, tensors):
    header, blobs, offset = {}, [], 0
    for name, tensor in tensors.items():
        tensor = tensor.detach().to(torch.float32).cpu().contiguous()
        blob = bytes(tensor.untyped_storage())[: tensor.numel() * 4]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


class SongUNet:
    """DDPM++: positional embedding, standard encoder and decoder, box filter. Parameters come as a dict by name."""

    def __init__(self, config):
        self.channels = config["model_channels"]
        self.mults = config["channel_mult"]
        self.blocks = config["num_blocks"]
        self.attention = config["attn_resolutions"]
        self.resolution = config["img_resolution"]
        half = self.channels // 2
        self.frequencies = (1 / 10000) ** (torch.arange(half, dtype=torch.float32) / (half - 1))

    def __call__(self, p, x, noise, labels):
        angles = noise[:, None] * self.frequencies[None]
        emb = torch.cat([angles.sin(), angles.cos()], dim=1)
        scaled = labels * math.sqrt(labels.shape[1])
        emb = emb + F.linear(scaled, p["model.map_label.weight"], p["model.map_label.bias"])
        for layer in ("model.map_layer0", "model.map_layer1"):
            emb = F.silu(F.linear(emb, p[f"{layer}.weight"], p[f"{layer}.bias"]))

        h, skips = x, []
        for level, mult in enumerate(self.mults):
            size = self.resolution >> level
            name = f"model.enc.{size}x{size}"
            if level == 0:
                h = F.conv2d(h, p[f"{name}_conv.weight"], p[f"{name}_conv.bias"], padding=1)
            else:
                h = self.block(p, f"{name}_down", h, emb, resample="down")
            skips.append(h)
            for i in range(self.blocks):
                h = self.block(p, f"{name}_block{i}", h, emb, attention=size in self.attention)
                skips.append(h)
        for level in reversed(range(len(self.mults))):
            size = self.resolution >> level
            name = f"model.dec.{size}x{size}"
            if level == len(self.mults) - 1:
                h = self.block(p, f"{name}_in0", h, emb, attention=True)
                h = self.block(p, f"{name}_in1", h, emb)
            else:
                h = self.block(p, f"{name}_up", h, emb, resample="up")
            for i in range(self.blocks + 1):
                h = torch.cat([h, skips.pop()], dim=1)
                last = i == self.blocks and size in self.attention
                h = self.block(p, f"{name}_block{i}", h, emb, attention=last)
        name = f"model.dec.{self.resolution}x{self.resolution}"
        h = F.silu(self.norm(p, f"{name}_aux_norm", h))
        return F.conv2d(h, p[f"{name}_aux_conv.weight"], p[f"{name}_aux_conv.bias"], padding=1)

    def norm(self, p, name, x):
        groups = min(32, x.shape[1] // 4)
        return F.group_norm(x, groups, p[f"{name}.weight"], p[f"{name}.bias"], eps=1e-6)

    def block(self, p, name, x, emb, attention=False, resample=None):
        h = F.silu(self.norm(p, f"{name}.norm0", x))
        h = resized(h, resample)
        h = F.conv2d(h, p[f"{name}.conv0.weight"], p[f"{name}.conv0.bias"], padding=1)
        shift = F.linear(emb, p[f"{name}.affine.weight"], p[f"{name}.affine.bias"])
        h = F.silu(self.norm(p, f"{name}.norm1", h + shift[:, :, None, None]))
        h = F.conv2d(h, p[f"{name}.conv1.weight"], p[f"{name}.conv1.bias"], padding=1)
        skip = resized(x, resample)
        if f"{name}.skip.weight" in p:
            skip = F.conv2d(skip, p[f"{name}.skip.weight"], p[f"{name}.skip.bias"])
        x = (h + skip) * math.sqrt(0.5)
        if attention:
            x = (self.attend(p, name, x) + x) * math.sqrt(0.5)
        return x

    def attend(self, p, name, x):
        batch, channels, height, width = x.shape
        h = self.norm(p, f"{name}.norm2", x)
        qkv = F.conv2d(h, p[f"{name}.qkv.weight"], p[f"{name}.qkv.bias"])
        q, k, v = qkv.reshape(batch, channels, 3, height * width).unbind(2)
        weights = torch.softmax(torch.bmm(q.transpose(1, 2), k / math.sqrt(channels)), dim=2)
        mixed = torch.bmm(v, weights.transpose(1, 2)).reshape(x.shape)
        return F.conv2d(mixed, p[f"{name}.proj.weight"], p[f"{name}.proj.bias"])


def resized(x, resample):
    if resample == "down":
        return F.avg_pool2d(x, 2)
    if resample == "up":
        return F.interpolate(x, scale_factor=2, mode="nearest")
    return x


def denoise(net, p, x, sigma, labels, sigma_data=0.5):
    """EDM's preconditioning: D(x; sigma)."""
    s = sigma[:, None, None, None]
    deviation = (s**2 + sigma_data**2).sqrt()
    raw = net(p, x / deviation, sigma.log() / 4, labels)
    return x * (sigma_data**2 / deviation**2) + raw * (s * sigma_data / deviation)


class Iteration:
    def __init__(self, case, metadata, channels_last):
        self.settings = json.loads(metadata["settings"])
        self.net = SongUNet(json.loads(metadata["network"]))
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        self.case = {name: self.laid_out(tensor) for name, tensor in case.items()}
        self.teacher, self.generator, self.fake = (self.weights(part) for part in ("teacher", "generator", "fake"))
        for p in self.teacher.values():
            p.requires_grad_(False)
        self.optimizers = [self.optimizer(self.generator), self.optimizer(self.fake)]
        self.average = [p.detach().clone() for p in self.generator.values()]

    def laid_out(self, tensor):
        return tensor.contiguous(memory_format=self.format) if tensor.dim() == 4 else tensor

    def weights(self, part):
        prefix = f"{part}."
        found = {name: tensor for name, tensor in self.case.items() if name.startswith(prefix)}
        return {name[len(prefix) :]: tensor.clone().requires_grad_() for name, tensor in found.items()}

    def optimizer(self, parameters):
        s = self.settings
        return torch.optim.AdamW(
            parameters.values(), lr=s["learningRate"], betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, fused=True
        )

    def update(self, which, parameters):
        norm = torch.nn.utils.clip_grad_norm_(parameters.values(), self.settings["clip"])
        self.optimizers[which].step()
        self.optimizers[which].zero_grad(set_to_none=True)
        return norm

    def draw(self):
        """Fresh noise, labels and levels in place of the recorded ones."""
        c = self.case
        for name in ("z", "noise", "fakeNoise"):
            c[name] = torch.randn(c[name].shape).contiguous(memory_format=self.format)
        batch, classes = c["labels"].shape
        c["labels"] = F.one_hot(torch.randint(classes, (batch,)), classes).float()
        levels = c["levels"]
        c["sigma"] = levels[torch.randint(20, 981, (batch,))]
        c["fakeSigma"] = levels[torch.randint(len(levels), (batch,))]

    def run(self, fresh=True):
        c, s = self.case, self.settings
        start = time.perf_counter()
        if fresh:
            self.draw()
        batch = c["z"].shape[0]
        z = torch.cat([c["z"], c["refZ"]])
        labels = torch.cat([c["labels"], c["refLabels"]])
        together = denoise(self.net, self.generator, z * 80.0, torch.full((len(z),), 80.0), labels)
        x, ref_x = together[:batch], together[batch:]
        with torch.no_grad():
            sigma = c["sigma"]
            xt = x + c["noise"] * sigma[:, None, None, None]
            mu_real = denoise(self.net, self.teacher, xt, sigma, c["labels"])
            mu_fake = denoise(self.net, self.fake, xt, sigma, c["labels"])
            weight = (x - mu_real).abs().mean(dim=(1, 2, 3), keepdim=True)
            grad = (mu_fake - mu_real) / weight
        loss_matching = 0.5 * F.mse_loss(x, (x - grad).detach())
        loss_regression = F.mse_loss(ref_x, c["refImages"])
        (loss_matching + s["lambda"] * loss_regression).backward()
        at_backward = time.perf_counter()
        norm_generator = self.update(0, self.generator)
        torch._foreach_lerp_(self.average, [p.detach() for p in self.generator.values()], 1 - s["emaDecay"])
        at_update = time.perf_counter()

        x = x.detach()
        sigma = c["fakeSigma"]
        level = sigma[:, None, None, None]
        denoised = denoise(self.net, self.fake, x + c["fakeNoise"] * level, sigma, c["labels"])
        loss_fake = ((level**-2 + 0.5**-2) * (denoised - x) ** 2).mean()
        loss_fake.backward()
        at_fake = time.perf_counter()
        norm_fake = self.update(1, self.fake)
        end = time.perf_counter()
        parts = {"generator": at_backward - start, "fake": at_fake - at_update}
        parts["updates"] = (at_update - at_backward) + (end - at_fake)
        scalars = {
            "lossMatching": loss_matching,
            "lossRegression": loss_regression,
            "lossFake": loss_fake,
            "normGenerator": norm_generator,
            "normFake": norm_fake,
        }
        return scalars, 1000 * (end - start), {name: 1000 * value for name, value in parts.items()}

    def state(self):
        tensors = {}
        for part, parameters, optimizer in zip(
            ("generator", "fake"), (self.generator, self.fake), self.optimizers, strict=True
        ):
            for name, tensor in parameters.items():
                tensors[f"{part}.{name}"] = tensor
                tensors[f"{part}.firstMoment.{name}"] = optimizer.state[tensor]["exp_avg"]
        return tensors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case")
    parser.add_argument("result")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--layout", choices=["contiguous", "channels_last"], default="contiguous")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    case, metadata = read_safetensors(args.case)
    iteration = Iteration(case, metadata, args.layout == "channels_last")
    scalars, _, _ = iteration.run(fresh=False)
    write_safetensors(args.result, {**{name: value.reshape(1) for name, value in scalars.items()}, **iteration.state()})
    print(json.dumps({"version": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
    for _ in sys.stdin:
        cpu = time.process_time()
        _, milliseconds, parts = iteration.run()
        cpu = 1000 * (time.process_time() - cpu)
        print(json.dumps({"milliseconds": milliseconds, "cpu": cpu, "parts": parts}), flush=True)


if __name__ == "__main__":
    main()
