"""Records what diffusers' schedulers do, step by step: test/golden/schedulers/diffusers.json.

    python test/golden/record/schedulers.py      (needs torch and diffusers; recorded with 2.13.0 and 0.42.1)

Each run is a class with its config, on a network that is a formula of x, the timestep and the place, in float32 with nothing but
sums, products and quotients, so that any implementation gets the same bits from the same x. Latents and the noise of a step are
`torch.randn` of one generator, latents first. Noise schedules are kept at a few timesteps and as a sum in double precision.
"""
import json
import pathlib

import diffusers
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DEISMultistepScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    UniPCMultistepScheduler,
)

SIZE = 18
SEED = 20
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
SHORT = {"num_train_timesteps": 60, "beta_start": 0.002, "beta_end": 0.2}
V = {"prediction_type": "v_prediction"}
ZERO_SNR = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing", **V}
COSINE = {"beta_schedule": "squaredcos_cap_v2"}
SD15 = {**SD, "steps_offset": 1}

runs = [
    (DDIMScheduler, {**SD15, "clip_sample": False, "set_alpha_to_one": False}, 10, {}),
    (DDIMScheduler, {**SD15, "clip_sample": False, "set_alpha_to_one": False}, 7, {"eta": 0.6}),
    (DDIMScheduler, {**SD, **V}, 5, {"eta": 1.0}),
    (DDIMScheduler, {**SD, **ZERO_SNR, "clip_sample": False}, 6, {}),
    (DDIMScheduler, {**SD, "prediction_type": "sample", "timestep_spacing": "linspace", "clip_sample_range": 0.5}, 9, {}),
    (DDIMScheduler, COSINE, 4, {}),
    (DDIMScheduler, SHORT, 60, {}),
    (DDIMScheduler, {"trained_betas": [0.01, 0.05, 0.1, 0.3, 0.5], "num_train_timesteps": 5}, 5, {}),
    (DDIMScheduler, SD, 1, {}),
    (PNDMScheduler, {**SD15, "skip_prk_steps": True, "set_alpha_to_one": False}, 50, {}),
    (PNDMScheduler, {**SD15, "skip_prk_steps": True}, 4, {}),
    (PNDMScheduler, {**SD, "skip_prk_steps": True, "set_alpha_to_one": True, **V}, 9, {}),
    (PNDMScheduler, {**SD, "skip_prk_steps": True, "timestep_spacing": "trailing"}, 6, {}),
    (PNDMScheduler, {**SD, "skip_prk_steps": True, "timestep_spacing": "linspace"}, 3, {}),
    (PNDMScheduler, {**SD, "skip_prk_steps": True}, 2, {}),
    (PNDMScheduler, {**SHORT, "skip_prk_steps": True}, 1, {}),
    (PNDMScheduler, SD15, 4, {}),
    (PNDMScheduler, {**SD, "set_alpha_to_one": True, **V}, 9, {}),
    (PNDMScheduler, {**SHORT, "timestep_spacing": "trailing"}, 7, {}),
    (DPMSolverMultistepScheduler, SD, 20, {}),
    (DPMSolverMultistepScheduler, {**SD15, "timestep_spacing": "leading"}, 4, {}),
    (DPMSolverMultistepScheduler, {**SD, **V, "use_karras_sigmas": True}, 12, {}),
    (DPMSolverMultistepScheduler, {**SD, "final_sigmas_type": "sigma_min"}, 16, {}),
    (DPMSolverMultistepScheduler, {**SD, "final_sigmas_type": "sigma_min", "lower_order_final": False}, 6, {}),
    (DPMSolverMultistepScheduler, {**SD, "final_sigmas_type": "sigma_min", "euler_at_final": True}, 17, {}),
    (DPMSolverMultistepScheduler, {**SD, "final_sigmas_type": "sigma_min"}, 6, {}),
    (DPMSolverMultistepScheduler, {**SD, "solver_type": "heun", "timestep_spacing": "trailing"}, 7, {}),
    (DPMSolverMultistepScheduler, {**SD, "solver_order": 1, "prediction_type": "sample"}, 5, {}),
    (DPMSolverMultistepScheduler, {**COSINE, "lambda_min_clipped": -5.1}, 8, {}),
    (DPMSolverMultistepScheduler, {**COSINE, "use_karras_sigmas": True}, 8, {}),
    (DPMSolverMultistepScheduler, {**SD, **ZERO_SNR}, 5, {}),
    (UniPCMultistepScheduler, SD, 20, {}),
    (UniPCMultistepScheduler, SD, 4, {}),
    (UniPCMultistepScheduler, {**SD15, "timestep_spacing": "leading", **V}, 6, {}),
    (UniPCMultistepScheduler, {**SD, "solver_type": "bh1", "final_sigmas_type": "sigma_min"}, 8, {}),
    (UniPCMultistepScheduler, {**SD, "use_karras_sigmas": True, "final_sigmas_type": "sigma_min"}, 9, {}),
    (UniPCMultistepScheduler, {**SD, "use_karras_sigmas": True, "sigma_min": 0.1, "sigma_max": 8.0}, 5, {}),
    (UniPCMultistepScheduler, {**SD, "final_sigmas_type": "sigma_min", "lower_order_final": False}, 6, {}),
    (UniPCMultistepScheduler, {**SD, "disable_corrector": [0, 2]}, 6, {}),
    (UniPCMultistepScheduler, {**SD, "solver_order": 1, "prediction_type": "sample"}, 6, {}),
    (UniPCMultistepScheduler, {**SD, **ZERO_SNR}, 5, {}),
    (EulerDiscreteScheduler, SD, 10, {}),
    (EulerDiscreteScheduler, {**SD15, "timestep_spacing": "leading"}, 7, {}),
    (EulerDiscreteScheduler, {**SD, "timestep_spacing": "trailing"}, 1, {}),
    (EulerDiscreteScheduler, {**SD, "timestep_spacing": "trailing", **V, "final_sigmas_type": "sigma_min"}, 6, {}),
    (EulerDiscreteScheduler, {**SD, "use_karras_sigmas": True}, 8, {}),
    (EulerDiscreteScheduler, {**SD, "use_karras_sigmas": True, "sigma_min": 0.2, "sigma_max": 9.0}, 5, {}),
    (EulerDiscreteScheduler, {**SD, "prediction_type": "sample"}, 5, {}),
    (EulerDiscreteScheduler, {**SD, **ZERO_SNR}, 5, {}),
    (LCMScheduler, {}, 4, {}),
    (LCMScheduler, {**SD, "clip_sample": True, **V}, 8, {}),
    (LCMScheduler, {**SD, "original_inference_steps": 30, "timestep_scaling": 0.002}, 7, {}),
    (LCMScheduler, {**SD, "prediction_type": "sample"}, 1, {}),
]


# Folders whose scheduler is exchanged, as people do with from_config: each of these, saved, by each of the classes above.
folders = [
    (DDIMScheduler, {**SD15, "clip_sample": False, "set_alpha_to_one": False}),
    (PNDMScheduler, {**SD15, "skip_prk_steps": True}),
    (EulerDiscreteScheduler, {**SD, **ZERO_SNR, "rescale_betas_zero_snr": False}),
    (EulerDiscreteScheduler, {**SD, **V, "rescale_betas_zero_snr": True}),
    (DPMSolverMultistepScheduler, {**SD, "use_karras_sigmas": True, "solver_type": "heun"}),
    (UniPCMultistepScheduler, {**SD, "solver_type": "bh1"}),
    (LCMScheduler, {"original_inference_steps": 30}),
    (EulerAncestralDiscreteScheduler, SD15),
    (HeunDiscreteScheduler, {"beta_schedule": "scaled_linear"}),
    (DDPMScheduler, {**SD, "variance_type": "fixed_small", "clip_sample_range": 0.8}),
    (DEISMultistepScheduler, SD),
]


def network(x, t):
    time = torch.tensor(float(t), dtype=torch.float32) / 1000
    place = (torch.arange(x.shape[1], dtype=torch.float32) % 5 - 2) * torch.tensor(0.05)
    return (x / (1 + x.abs())) * torch.tensor(0.7) + (x * time) * torch.tensor(0.3) + place


def record(cls, config, steps, kwargs):
    return record_one(cls(**config), cls, config, steps, kwargs)


def record_one(scheduler, cls, config, steps, kwargs):
    scheduler.set_timesteps(steps)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(0)  # as pipelines do; else a first timestep that is there twice would be skipped
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn((1, SIZE), generator=generator) * scheduler.init_noise_sigma
    arguments = dict(kwargs)
    if cls in (DDIMScheduler, LCMScheduler):
        arguments["generator"] = generator
    states, denoised = [], []
    for t in scheduler.timesteps:
        output = scheduler.step(network(scheduler.scale_model_input(x, t), t), t, x, **arguments)
        x = output.prev_sample
        states.append([float(f"{value:.9g}") for value in x[0].tolist()])
        clean = output.get("pred_original_sample")
        clean = output.get("denoised") if clean is None else clean
        denoised.append(None if clean is None else [float(f"{value:.9g}") for value in clean[0].tolist()])
    products = scheduler.alphas_cumprod.double()
    return {
        "config": {"_class_name": cls.__name__, **config},
        "steps": steps,
        "options": kwargs,
        "timesteps": scheduler.timesteps.tolist(),
        "initNoiseSigma": float(scheduler.init_noise_sigma),
        "alphasCumprod": {"sum": products.sum().item(), "values": [[i, products[i].item()] for i in kept(len(products))]},
        "states": states,
        "denoised": denoised,
    }


def exchanged(folder, config, cls, steps=6):
    written = json.loads(folder(**config).to_json_string(), parse_constant=str)
    scheduler = cls.from_config({k: v for k, v in written.items()})
    run = record_one(scheduler, cls, config, steps, {})
    return {"config": written, "class": cls.__name__, "steps": steps, "calls": len(run["timesteps"]), "final": run["states"][-1]}


def saved():
    """What each class writes to scheduler_config.json; infinity as the name that JSON has no number for."""
    texts = {}
    for cls in dict.fromkeys(cls for cls, *_ in runs):
        texts[cls.__name__] = json.loads(cls().to_json_string(), parse_constant=str)
    return texts


def kept(count):
    return sorted({0, 1, count // 3, count // 2, count - 2})


target = pathlib.Path(__file__).resolve().parents[1] / "schedulers" / "diffusers.json"
target.parent.mkdir(exist_ok=True)
recorded = [record(*run) for run in runs]
versions = {"torch": torch.__version__.split("+")[0], "diffusers": diffusers.__version__}
lines = ",\n".join(json.dumps(run) for run in recorded)
crosses = ",\n".join(
    json.dumps(exchanged(folder, config, cls))
    for folder, config in folders
    for cls in dict.fromkeys(cls for cls, *_ in runs)
    if cls is not folder and not (folder, cls) == (DEISMultistepScheduler, DPMSolverMultistepScheduler)  # refused there too
)
head = f'"versions": {json.dumps(versions)}, "size": {SIZE}, "seed": {SEED}, "saved": {json.dumps(saved())}'
text = f'{{{head}, "runs": [\n{lines}\n], "exchanged": [\n{crosses}\n]}}\n'
assert "NaN" not in text, "a run left the finite numbers"
target.write_text(text)
