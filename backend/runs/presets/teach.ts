/** Presets of dmd teach: the teachers that come with the package, and those of a person's own data. */
import type { Source } from './source.ts';

/** Where the runs of the first round of lessons differ from those after it. */
const firstRound = { seed: 1, 'data.seed': 0 };

/** Lessons of the built-in text teacher: scenes on which the mean image shows what a word means. */
const lesson = (name: string, title: string, detail: string, set: Readonly<Record<string, unknown>>): Source => ({
  ...{ kind: 'teach-text', name: `scenes-text-${name}`, title: `The built-in text model, ${title}`, detail },
  ...{
    file: 'scenes-text/teacher.dmd.json',
    set: { name: `scenes-text-${name}`, 'data.scenes': 'light-on-dark', 'optimizer.warmup': 100, ...set },
  },
});

export const teachPresets: readonly Source[] = [
  {
    kind: 'teach',
    name: 'scenes',
    title: 'A teacher for the built-in data',
    detail: 'Made the built-in teacher: trains a small diffusion model on scenes, pictures that are drawn when needed.',
    file: 'scenes/teacher.dmd.json',
  },
  {
    kind: 'teach',
    name: 'fashion-mnist',
    title: 'A teacher for Fashion-MNIST',
    detail:
      "Trains a small diffusion model on 60,000 pictures of garments, from Debian's package or the four IDX files.",
    file: 'presets/fashion-mnist-teacher.dmd.json',
  },
  {
    kind: 'teach',
    name: 'own-pictures',
    title: 'A teacher for your own pictures',
    detail:
      'Trains a small diffusion model on pictures that dmd data pack made of a folder: put pictures.zip beside this file, or ' +
      'give its path, and set label_dim to the number of its classes. More pictures and more iterations make it better.',
    file: 'presets/fashion-mnist-teacher.dmd.json',
    set: {
      ...{ name: 'own-pictures-teacher', 'data.source': 'pictures.zip', 'data.fit': 'none' },
      ...{ 'network.img_channels': 3, 'network.label_dim': 0 },
    },
  },
  {
    kind: 'teach-autoencoder',
    name: 'scenes-text-vae',
    title: 'The built-in text model, its autoencoder',
    detail: 'Made the autoencoder of the built-in text model, from captioned scenes that are drawn when needed.',
    file: 'scenes-text/vae.dmd.json',
  },
  {
    kind: 'teach-autoencoder',
    name: 'scenes-text-vae-decoder',
    title: 'The built-in text model, its decoder',
    detail: 'Trained the decoder of the built-in text model on, for sharper pictures; the encoder stays.',
    file: 'scenes-text/vae-decoder.dmd.json',
  },
  {
    kind: 'teach-text-encoder',
    name: 'scenes-text-encoder',
    title: 'A text encoder for a text model',
    detail:
      'Trains a text encoder as CLIP does, on captioned scenes: a text-to-image teacher that begins with it follows places.',
    file: 'scenes-text/text-encoder.dmd.json',
  },
  {
    kind: 'teach-text',
    name: 'scenes-text-first',
    title: 'The built-in text model, its first teacher',
    detail: 'Made what the lessons of the built-in text-to-image teacher begin with, from random weights; hours.',
    file: 'scenes-text/first.dmd.json',
  },
  lesson(
    'places',
    'its lesson in places',
    'Teaches words for places to the U-Net at the highest noise levels, where a light shape on a dark ground is a part of ' +
      'the mean image. `initial` is the first teacher of the built-in text model, `initialText` what the preset ' +
      'scenes-text-encoder leaves.',
    {
      ...{ ...firstRound, threads: 1, 'data.count': 8192, 'loss.minTimestep': 850 },
      ...{ iterations: 600, 'optimizer.decay': 'none', ema: 0.98 },
    },
  ),
  lesson(
    'shapes',
    'its lesson in shapes',
    'Teaches words for shapes, one shape at a time. `initial` is what the lesson in places leaves.',
    {
      ...{ ...firstRound, threads: 1, 'data.count': 16384, 'loss.minTimestep': 200 },
      ...{ iterations: 3000, batch: 16, ema: 0.99 },
    },
  ),
  {
    kind: 'teach-text',
    name: 'scenes-text-first-round',
    title: 'The built-in text model, all scenes after its lessons',
    detail: 'Brings all scenes together after the first lessons. `initial` is what the lesson in shapes leaves.',
    file: 'scenes-text/teacher.dmd.json',
    set: { name: 'scenes-text-first-round', ...firstRound, iterations: 4800 },
  },
  lesson(
    'shapes-again',
    'its lesson in shapes again',
    'Teaches words for shapes once more, longer. `initial` is what the round of all scenes before leaves.',
    { 'data.count': 32768, 'loss.minTimestep': 200, iterations: 2400, 'optimizer.decay': 'none', ema: 0.995 },
  ),
  {
    kind: 'teach-text',
    name: 'scenes-text',
    title: 'The built-in text model, its teacher',
    detail:
      "Made the built-in text-to-image teacher, in the built-in autoencoder's latent space. `initial` is what the lesson in " +
      'shapes before leaves.',
    file: 'scenes-text/teacher.dmd.json',
  },
];
