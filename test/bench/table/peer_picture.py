"""One picture of a one-step text model: with diffusers and transformers, or by OpenVINO from the same modules."""
import json

import torch


def modules(settings):
    from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
    from transformers import CLIPTextModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    with open(f"{settings['vae']}/config.json") as file:
        kind = AutoencoderTiny if json.load(file)["_class_name"] == "AutoencoderTiny" else AutoencoderKL
    parts = ((CLIPTextModel, "text_encoder"), (UNet2DConditionModel, "unet"), (kind, "vae"))
    # Files of half the precision are computed with in single precision, as on this project's side.
    return [cls.from_pretrained(settings[name], low_cpu_mem_usage=False).float().eval() for cls, name in parts]


def start(case, settings):
    """Tokens, noise of seed 0, and what reads the image off one prediction at the last timestep."""
    from diffusers import DDIMScheduler

    cumulative = DDIMScheduler.from_pretrained(settings["scheduler"]).alphas_cumprod.double()[-1]
    height, width = settings["size"]
    return case["ids"].long(), (height, width), (float(cumulative.sqrt()), float((1 - cumulative).sqrt()))


class Text(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, ids):
        return self.net(ids).last_hidden_state


class UNet(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, sample, timestep, context):
        return self.net(sample, timestep, context, return_dict=False)[0]


class Decoder(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, latents):
        return self.net.decode(latents, return_dict=False)[0]


class Picture:
    def __init__(self, case, metadata, way):
        settings = json.loads(metadata["settings"])
        self.ids, size, (self.alpha, self.sigma) = start(case, settings)
        self.predicts = settings["prediction"]
        text, unet, vae = modules(settings)
        factor = 2 ** (len(vae.config.get("block_out_channels") or vae.config.decoder_block_out_channels) - 1)
        self.shape = (1, unet.config.in_channels, size[0] // factor, size[1] // factor)
        self.scale, self.last = vae.config.scaling_factor, torch.tensor([999.0])
        self.nets = [Text(text), UNet(unet), Decoder(vae)]
        if way == "channels_last":
            self.nets[1:] = [net.to(memory_format=torch.channels_last) for net in self.nets[1:]]
        if way == "compiled":
            self.nets = [torch.compile(net) for net in self.nets]
        self.first = None

    def clean(self, z, prediction):
        if self.predicts == "v_prediction":
            return self.alpha * z - self.sigma * prediction
        return (z - self.sigma * prediction) / self.alpha

    @torch.inference_mode()
    def turn(self):
        text, unet, decode = self.nets
        z = torch.randn(self.shape, generator=torch.Generator().manual_seed(0))
        prediction = unet(z, self.last, text(self.ids))
        latents = self.clean(z, prediction)
        image = decode(latents / self.scale)
        if self.first is None:
            self.first = {"images": image}

    def answers(self):
        return self.first


class OpenVinoPicture(Picture):
    """The networks are converted once into `folder`; what is timed reads, compiles and runs what lies there then."""

    def __init__(self, case, metadata, threads, folder):
        import openvino as ov

        settings = json.loads(metadata["settings"])
        files = [folder / f"openvino-{name}.xml" for name in ("text", "unet", "decoder")]
        known = folder / "openvino.json"
        if not known.exists():
            super().__init__(case, metadata, "contiguous")
            self.convert(ov, files)
            known.write_text(json.dumps({"shape": self.shape, "scale": self.scale}))
        self.ids, _, (self.alpha, self.sigma) = start(case, settings)
        self.predicts = settings["prediction"]
        saved = json.loads(known.read_text())
        self.shape, self.scale, self.last, self.first = tuple(saved["shape"]), saved["scale"], torch.tensor([999.0]), None
        options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        compiled = [ov.Core().compile_model(file, "CPU", options) for file in files]
        self.nets = [self.call(one) for one in compiled]

    @torch.inference_mode()
    def convert(self, ov, files):
        z, context = torch.randn(self.shape), self.nets[0](self.ids)
        examples = [(self.ids,), (z, self.last, context), (z,)]
        for net, example, file in zip(self.nets, examples, files):
            shapes = [list(tensor.shape) for tensor in example]
            model = ov.convert_model(net, example_input=example, input=shapes)
            ov.save_model(model, file, compress_to_fp16=False)
        self.nets = []

    @staticmethod
    def call(compiled):
        return lambda *given: torch.from_numpy(compiled([tensor.numpy() for tensor in given])[0].copy())
