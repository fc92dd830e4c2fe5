"""One DMD iteration of a latent model in PyTorch with diffusers' UNet2DConditionModel, from the paper (arXiv 2311.18828,
Algorithm 1, Eq. 7 and 8, Section 4.2): the real score is guided, the pairs feed everything."""
import json

import torch
import torch.nn.functional as F


def with_unet(folder, way):
    from diffusers import UNet2DConditionModel

    net = UNet2DConditionModel.from_pretrained(folder, low_cpu_mem_usage=False).float().eval()
    return net.to(memory_format=torch.channels_last) if way == "channels_last" else net


class LatentIteration:
    def __init__(self, case, metadata, way):
        self.settings = json.loads(metadata["settings"])
        self.case = case
        nets = [with_unet(self.settings["unet"], way) for _ in range(3)]
        self.teacher, self.generator, self.fake = nets
        self.teacher.requires_grad_(False)
        u = self.settings["update"]
        options = dict(lr=u["learningRate"], betas=(u["beta1"], u["beta2"]), eps=u["epsilon"], weight_decay=u["weightDecay"])
        self.optimizers = [torch.optim.AdamW(net.parameters(), fused=True, **options) for net in nets[1:]]
        if way == "compiled":
            self.teacher, self.generator, self.fake = (torch.compile(net) for net in nets)
        self.first = None

    def level(self, t):
        alpha = self.case["alphas"][t.long()].reshape(-1, 1, 1, 1)
        return alpha, (1 - alpha**2).sqrt()

    def clean(self, xt, prediction, t):
        alpha, sigma = self.level(t)
        if self.settings["prediction"] == "v_prediction":
            return alpha * xt - sigma * prediction
        return (xt - sigma * prediction) / alpha

    def target(self, x, noise, t):
        alpha, sigma = self.level(t)
        return alpha * noise - sigma * x if self.settings["prediction"] == "v_prediction" else noise

    def noised(self, x, noise, t):
        alpha, sigma = self.level(t)
        return alpha * x + sigma * noise

    def draw(self):
        c = self.case
        for name in ("z", "context", "noise", "fakeNoise"):
            c[name] = torch.randn(c[name].shape)
        count = len(c["t"])
        c["t"], c["fakeT"] = torch.randint(20, 981, (count,)).float(), torch.randint(0, 1000, (count,)).float()

    def update(self, which, net):
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), self.settings["update"]["clip"])
        self.optimizers[which].step()
        self.optimizers[which].zero_grad(set_to_none=True)
        return norm

    def turn(self):
        if self.first is not None:
            self.draw()
        c, s = self.case, self.settings
        count = len(c["z"])
        last = torch.full((count,), float(len(c["alphas"]) - 1))
        x = self.clean(c["z"], self.generator(c["z"], last, c["context"]).sample, last)
        with torch.no_grad():
            xt, t = self.noised(x, c["noise"], c["t"]), c["t"]
            empty = c["unconditional"].expand(count, -1, -1)
            both = self.teacher(torch.cat([xt, xt]), torch.cat([t, t]), torch.cat([empty, c["context"]])).sample
            away, toward = both.chunk(2)
            mu_real = self.clean(xt, away + s["guidance"] * (toward - away), t)
            mu_fake = self.clean(xt, self.fake(xt, t, c["context"]).sample, t)
            grad = (mu_fake - mu_real) / (x - mu_real).abs().mean(dim=(1, 2, 3), keepdim=True)
        matching = 0.5 * F.mse_loss(x, (x - grad).detach())
        regression = F.mse_loss(x[s["batch"] :], c["y"])
        (matching + s["lambda"] * regression).backward()
        norm_generator = self.update(0, self.generator)
        x = x.detach()
        prediction = self.fake(self.noised(x, c["fakeNoise"], c["fakeT"]), c["fakeT"], c["context"]).sample
        loss_fake = F.mse_loss(prediction, self.target(x, c["fakeNoise"], c["fakeT"]))
        loss_fake.backward()
        norm_fake = self.update(1, self.fake)
        if self.first is None:
            found = dict(lossMatching=matching, lossRegression=regression, lossFake=loss_fake)
            found.update(normGenerator=norm_generator, normFake=norm_fake)
            self.first = {name: value.detach().reshape(1) for name, value in found.items()}

    def answers(self):
        return self.first
