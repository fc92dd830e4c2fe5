"""A row of the table in PyTorch, diffusers or OpenVINO, on what this project's side wrote: the other side of `ours.ts`.

    python peers.py FOLDER --way=contiguous|channels_last|compiled|openvino --threads=N [--device=cpu|cuda]

Says one line of JSON when it is ready, then one for each line that it reads: `go` is one turn, `answers` writes what the first
turn computed to FOLDER/WAY.safetensors, `end` says the most memory there was.
"""
import json
import pathlib
import resource
import sys
import time
import warnings

import torch

# What a converter says while it traces is for people who write converters.
warnings.filterwarnings("ignore")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from dmd_iteration import Iteration, read_safetensors, write_safetensors  # noqa: E402
from peer_latent import LatentIteration  # noqa: E402
from peer_perceptual import Perceptual  # noqa: E402
from peer_picture import OpenVinoPicture, Picture  # noqa: E402
from peer_sample import Sample  # noqa: E402


class EdmIteration:
    def __init__(self, case, metadata, way):
        self.iteration = Iteration(case, metadata, way == "channels_last")
        if way == "compiled":
            self.iteration.net = torch.compile(self.iteration.net)
        self.first = None

    def turn(self):
        scalars, _, _ = self.iteration.run(fresh=self.first is not None)
        if self.first is None:
            self.first = {name: value.reshape(1) for name, value in scalars.items()}

    def answers(self):
        return self.first


kinds = {
    "edm-iteration": EdmIteration,
    "latent-iteration": LatentIteration,
    "edm-sample": Sample,
    "perceptual": Perceptual,
    "picture": Picture,
}


def say(answer):
    print(json.dumps(answer), flush=True)


def main():
    folder = pathlib.Path(next(word for word in sys.argv[1:] if not word.startswith("--")))
    options = dict(word[2:].split("=") for word in sys.argv[1:] if word.startswith("--"))
    way, threads = options["way"], int(options["threads"])
    torch.set_num_threads(threads)
    device = options.get("device", "cpu")
    # What a device would round more coarsely by itself is float32 on the other side.
    torch.backends.cudnn.allow_tf32 = False
    torch.set_default_device(device)
    case, metadata = read_safetensors(folder / "case.safetensors")
    case = {name: tensor.to(device) for name, tensor in case.items()}
    start = time.perf_counter()
    if way == "openvino":
        import openvino

        work, version = OpenVinoPicture(case, metadata, threads, folder), openvino.__version__.split("-")[0]
    else:
        work, version = kinds[metadata["kind"]](case, metadata, way), torch.__version__
    del case
    on = "" if device == "cpu" else f", {device}"
    say({"ready": 1000 * (time.perf_counter() - start), "engine": f"{way}, {version}{on}"})
    for line in sys.stdin:
        if line.strip() == "go":
            wall, processor = time.perf_counter(), time.process_time()
            work.turn()
            if device == "cuda":
                torch.cuda.synchronize()
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            say({"milliseconds": 1000 * wall, "cpu": 1000 * processor})
        elif line.strip() == "answers":
            write_safetensors(folder / f"{way}.safetensors", work.answers())
            say({})
        else:
            break
    say({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})


if __name__ == "__main__":
    main()
