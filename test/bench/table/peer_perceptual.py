"""LPIPS on VGG16 (Zhang et al. 2018, arXiv 1801.03924) in PyTorch, with the gradient of its sum to the first images."""
import torch
import torch.nn.functional as F

SLICES = [[0, 2], [5, 7], [10, 12, 14], [17, 19, 21], [24, 26, 28]]


class Perceptual:
    def __init__(self, case, metadata, way):
        layout = torch.channels_last if way == "channels_last" else torch.contiguous_format
        self.case = {name: v.contiguous(memory_format=layout) if v.dim() == 4 else v for name, v in case.items()}
        self.shift = torch.tensor([-0.03, -0.088, -0.188]).reshape(1, 3, 1, 1)
        self.scale = torch.tensor([0.458, 0.448, 0.45]).reshape(1, 3, 1, 1)
        self.distance = torch.compile(self.measured) if way == "compiled" else self.measured
        self.first = None

    def features(self, image):
        h, found = (image - self.shift) / self.scale, []
        for k, layers in enumerate(SLICES):
            if k > 0:
                h = F.max_pool2d(h, 2)
            for layer in layers:
                name = f"net.slice{k + 1}.{layer}"
                h = F.relu(F.conv2d(h, self.case[f"{name}.weight"], self.case[f"{name}.bias"], padding=1))
            found.append(h)
        return found

    def measured(self, a, b):
        total = 0
        for k, (one, other) in enumerate(zip(self.features(a), self.features(b))):
            unit = [f / (f.square().sum(1, keepdim=True).sqrt() + 1e-10) for f in (one, other)]
            weighted = F.conv2d((unit[0] - unit[1]).square(), self.case[f"lin{k}.model.1.weight"])
            total = total + weighted.mean(dim=(2, 3)).sum(1)
        return total

    def turn(self):
        a = self.case["a"].clone().requires_grad_()
        distance = self.distance(a, self.case["b"])
        (gradient,) = torch.autograd.grad(distance.sum(), a)
        if self.first is None:
            self.first = {"distance": distance.detach(), "gradient": gradient}

    def answers(self):
        return self.first
