"""Writes event files as PyTorch's own SummaryWriter does: python summary_writer.py FOLDER (torch 2.13.0, tensorboard)."""
import sys

import torch
from torch.utils.tensorboard import SummaryWriter

torch.manual_seed(1)
with SummaryWriter(sys.argv[1], filename_suffix=".torch") as writer:
    for step in range(0, 50, 5):
        writer.add_scalar("loss/generator", 2.0 / (step + 1), step)
        writer.add_scalar("loss/fake", 0.5 + 0.01 * step, step, new_style=True)
        if step % 10 == 0:
            image = torch.zeros(3, 8, 12)
            image[0] = step / 50
            writer.add_image("samples", image, step)
    writer.add_histogram("weights/generator", torch.randn(100), 0)
    writer.add_scalar("loss/generator", float("nan"), 50)
    writer.add_text("note", "one step for the whole batch", 0)
