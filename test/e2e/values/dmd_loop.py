"""Distribution matching distillation in less than a hundred lines of NumPy, with the names of DMD2's public code.

The data are pictures of discs, rings and squares, so that the score of the real distribution is known in closed form: the
clean image behind a noisy one is the mean of the data, weighted by how likely each made it. The generator is a table of
pictures, one per latent code, that starts as blurred noise; the fake score is that of the pictures it makes.
"""
import numpy

SIZE, COUNT, BATCH, STEPS = 64, 160, 16, 24
random = numpy.random.default_rng(3)


def scene(kind, x, y, radius, colour, sky):
    """A shape with a lit side before a sky, 3 x SIZE x SIZE in [-1, 1]."""
    column, row = numpy.meshgrid(numpy.linspace(-1, 1, SIZE), numpy.linspace(-1, 1, SIZE))
    far = numpy.hypot(column - x, row - y)
    square = numpy.maximum(abs(column - x), abs(row - y))
    edge = {0: far - radius, 1: abs(far - radius) - 0.12, 2: square - 0.8 * radius}[kind]
    inside = 1 / (1 + numpy.exp(edge * SIZE / 1.5))
    light = 0.75 - 0.35 * (column - x + row - y) / radius
    background = sky[:, None, None] * (0.55 - 0.45 * row)
    return inside * (colour[:, None, None] * light) + (1 - inside) * background


def scenes(count):
    made = []
    for number in range(count):
        x, y = random.uniform(-0.35, 0.35, 2)
        colour, sky = random.uniform(-0.2, 1.0, 3), random.uniform(-0.9, 0.3, 3)
        made.append(scene(number % 3, x, y, random.uniform(0.35, 0.6), colour, sky))
    return numpy.clip(numpy.stack(made), -1, 1).astype('f4')


def denoise(noisy, sigma, pictures, width=0.0):
    """The mean of pictures, each with a Gaussian of this width around it, behind an image with noise: B x 3 x SIZE x SIZE."""
    variance = sigma.reshape(-1, 1) ** 2 + width**2
    flat, known = noisy.reshape(len(noisy), -1), pictures.reshape(len(pictures), -1)
    distance = (flat**2).sum(1)[:, None] - 2 * flat @ known.T + (known**2).sum(1)[None]
    logits = -distance / (2 * variance)
    weights = numpy.exp(logits - logits.max(1, keepdims=True))
    mean = (weights / weights.sum(1, keepdims=True)) @ known
    share = width**2 / variance
    return ((1 - share) * mean + share * flat).reshape(noisy.shape).astype('f4')


def compute_distribution_matching_loss(latents, data, step):
    timestep_sigma = random.choice([3.0, 5.0, 8.0, 12.0], (len(latents), 1, 1, 1)).astype('f4')
    noise = random.normal(size=latents.shape).astype('f4')
    noisy_latents = latents + timestep_sigma * noise
    pred_real_image = denoise(noisy_latents, timestep_sigma, data)
    pred_fake_image = denoise(noisy_latents, timestep_sigma, latents, 0.05)
    p_real = latents - pred_real_image
    p_fake = latents - pred_fake_image
    weight_factor = numpy.abs(p_real).mean((1, 2, 3), keepdims=True)
    grad = (p_real - p_fake) / weight_factor
    return grad


def blurred(pictures):
    for _ in range(30):
        for axis in (2, 3):
            pictures = (numpy.roll(pictures, 1, axis) + 2 * pictures + numpy.roll(pictures, -1, axis)) / 4
    return pictures


def train(steps=STEPS):
    data = scenes(COUNT)
    latents = (6 * blurred(random.normal(size=(BATCH, 3, SIZE, SIZE)))).astype('f4')
    for step in range(steps):
        grad = compute_distribution_matching_loss(latents, data, step)
        latents = latents - 0.05 * grad
    return latents


if __name__ == '__main__':
    latents = train()
    print('mean of the pictures %.5f' % latents.mean())
