"""Images of an EDM network in PyTorch: one call, or Heun's method (Karras et al. 2022, arXiv 2206.00364, Algorithm 1, no churn)."""
import json

import torch
import torch.nn.functional as F

from dmd_iteration import SongUNet, denoise


class Sample:
    def __init__(self, case, metadata, way):
        settings = json.loads(metadata["settings"])
        config = json.loads(metadata["network"])
        self.format = torch.channels_last if way == "channels_last" else torch.contiguous_format
        self.steps, self.batch = settings["steps"], settings["batch"]
        self.shape = (config["img_channels"], config["img_resolution"], config["img_resolution"])
        self.labels = F.one_hot(torch.tensor(settings["classes"]), config["label_dim"]).float()
        self.weights = {name.removeprefix("teacher."): self.laid_out(value) for name, value in case.items()}
        net = SongUNet(config)
        self.net = torch.compile(net) if way == "compiled" else net
        self.first = None

    def laid_out(self, tensor):
        return tensor.contiguous(memory_format=self.format) if tensor.dim() == 4 else tensor

    def denoise(self, x, sigma):
        return denoise(self.net, self.weights, x.float(), torch.full((len(x),), float(sigma)), self.labels).double()

    def levels(self, low=0.002, high=80.0, rho=7):
        i = torch.arange(self.steps, dtype=torch.float64)
        high, low = high ** (1 / rho), low ** (1 / rho)
        return torch.cat([(high + i / (self.steps - 1) * (low - high)) ** rho, torch.zeros(1, dtype=torch.float64)])

    @torch.inference_mode()
    def turn(self):
        # As everywhere in EDM's code, an image has a generator of its own.
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in range(self.batch)]
        noise = [torch.randn(self.shape, generator=generator, device="cpu") for generator in generators]
        z = self.laid_out(torch.stack(noise).to(self.labels.device)).double()
        if self.steps == 1:
            x = self.denoise(z * 80.0, 80.0)
        else:
            levels = self.levels()
            x = z * levels[0]
            for now, later in zip(levels[:-1], levels[1:]):
                slope = (x - self.denoise(x, now)) / now
                ahead = x + (later - now) * slope
                if later > 0:
                    end = (ahead - self.denoise(ahead, later)) / later
                    ahead = x + (later - now) * (slope + end) / 2
                x = ahead
        if self.first is None:
            self.first = {"images": x.float()}

    def answers(self):
        return self.first
