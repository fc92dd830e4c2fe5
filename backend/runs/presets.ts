/**
 * Configs that come with the package, by name: those that made the built-in models, the paper's settings, and the paper's
 * ablations (Table 2) for the built-in teacher. A preset is a file, some with a few values replaced.
 */
import path from 'node:path';
import { applyEdits, modify } from 'jsonc-parser';
import { onDisk } from '../files/disk.ts';
import { packageRoot } from '../files/package.ts';
import { readText } from '../files/regular.ts';
import { type Config, type ConfigKind, commandOfKind, nearest } from '../protocol/config/index.ts';
import { UserError } from '../protocol/errors.ts';
import { configFromText } from './config-file.ts';

export interface Preset {
  readonly kind: ConfigKind;
  readonly name: string;
  /** A few words. */
  readonly title: string;
  /** What it is for, one sentence or two; also the first comment of a config whose file has another one. */
  readonly detail: string;
  /** What teachers its settings are for; left out where it needs none, or brings its own. */
  readonly teacher?: PresetTeacher;
}

export interface PresetTeacher {
  readonly prompt: boolean;
  /** Pixels. */
  readonly side: number;
  /** Whether its images are of a class. */
  readonly classes: boolean;
}

const ofClasses = (side: number): PresetTeacher => ({ prompt: false, side, classes: true });
const ofPrompts = (side: number): PresetTeacher => ({ prompt: true, side, classes: false });

interface Source extends Preset {
  /** Below media/. */
  readonly file: string;
  /** Values that replace the file's, by dotted key. */
  readonly set?: Readonly<Record<string, unknown>>;
}

/** For runs that are watched; recording never disturbs training. */
const watched = { samplesEvery: 25, probeEvery: 25, fieldsEvery: 250, histogramsEvery: 250 };

const ablation = (name: string, title: string, detail: string, set: Readonly<Record<string, unknown>>): Source => ({
  ...{ kind: 'distill', name: `scenes-${name}`, title: `Built-in model, ${title}`, detail },
  ...{ file: 'scenes/generator.dmd.json', set: { name: `scenes-${name}`, ...set, record: watched } },
  teacher: ofClasses(32),
});

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

/** The other losses of Figure 3. */
const figure3 = (name: string, title: string, detail: string, set: Readonly<Record<string, unknown>>): Source => ({
  ...{ kind: 'distill', name: `figure-3-${name}`, title: `Two modes in the plane, ${title}`, detail },
  ...{ file: 'presets/figure-3.dmd.json', set: { name: `figure-3-${name}`, ...set } },
});

const sources: readonly Source[] = [
  {
    kind: 'distill',
    name: 'first-run',
    title: 'Built-in model, a few minutes',
    detail: 'Distills the built-in teacher for 300 steps, with few pairs and a high learning rate, to see it move.',
    file: 'presets/first-run.dmd.json',
    teacher: ofClasses(32),
  },
  {
    kind: 'distill',
    name: 'figure-3',
    title: 'Two modes in the plane, real minus fake',
    detail: 'Figure 3b of the paper, in seconds: samples fill the nearest mode. The playground begins with it.',
    file: 'presets/figure-3.dmd.json',
  },
  figure3(
    'real-only',
    'the real score alone',
    'Figure 3a of the paper: with the real score alone every sample climbs to the peak of the nearest mode.',
    { 'matching.realOnly': true },
  ),
  figure3(
    'regression',
    'with regression',
    "Figure 3c of the paper: pairs from the teacher's sampler bring the samples to both modes.",
    { 'regression.enabled': true },
  ),
  {
    kind: 'distill',
    name: 'figure-3-diff-instruct',
    title: 'Two modes in the plane by Diff-Instruct',
    detail: 'Diff-Instruct on the two modes of Figure 3, in seconds: samples fill the nearest mode.',
    file: 'presets/figure-3-diff-instruct.dmd.json',
  },
  {
    kind: 'distill',
    name: 'two-modes-consistency',
    title: 'Two modes in the plane by consistency distillation',
    detail:
      "Consistency distillation in the plane: from one blob to the two modes of DMD's Figure 3, along the exact paths of their mixture.",
    file: 'presets/two-modes-consistency.dmd.json',
  },
  {
    kind: 'distill',
    name: 'figure-3-progressive',
    title: 'Two modes in the plane by progressive distillation',
    detail:
      'Progressive distillation on the two modes of Figure 3, in a minute: from 16 steps of the exact denoiser to one.',
    file: 'presets/figure-3-progressive.dmd.json',
  },
  {
    kind: 'distill',
    name: 'scenes',
    title: 'Built-in model',
    detail:
      'Made the built-in one-step generator (in float16) from the built-in teacher; recording does not change it.',
    file: 'scenes/generator.dmd.json',
    set: { record: watched },
    teacher: ofClasses(32),
  },
  ablation(
    'no-matching',
    'without distribution matching',
    'The ablation of Table 2 that keeps the regression loss alone.',
    { 'matching.enabled': false },
  ),
  ablation(
    'no-regression',
    'without regression',
    'The ablation of Table 2 that keeps distribution matching alone; the learning rate is a fifth, as in the paper, where it ' +
      'diverged otherwise.',
    { 'regression.enabled': false, 'generator.lr': 2e-5 },
  ),
  ablation('sigma', 'weight sigma/alpha', 'The weight sigma/alpha of Table 2 in place of Eq. 8.', {
    'matching.weight': 'sigma/alpha',
  }),
  ablation('sigma3', 'weight sigma^3/alpha', 'The weight sigma^3/alpha of Table 2 in place of Eq. 8.', {
    'matching.weight': 'sigma^3/alpha',
  }),
  {
    kind: 'distill',
    name: 'scenes-dmd2',
    title: 'Built-in model by DMD2',
    detail:
      'DMD2 in place of DMD for the built-in teacher: no pairs, two time scales, and a GAN loss on scenes. Rates that nobody has tuned.',
    file: 'presets/scenes-dmd2.dmd.json',
    teacher: ofClasses(32),
  },
  {
    kind: 'distill',
    name: 'scenes-diff-instruct',
    title: 'Built-in model by Diff-Instruct',
    detail:
      "Diff-Instruct in place of DMD for the built-in teacher: no pairs, no regression, EDM's noise levels. Rates that nobody has tuned.",
    file: 'presets/scenes-diff-instruct.dmd.json',
    teacher: ofClasses(32),
  },
  {
    kind: 'distill',
    name: 'scenes-consistency',
    title: 'Built-in model by consistency distillation',
    detail:
      'Consistency distillation in place of DMD for the built-in teacher: its paths on scenes, one step of Heun at a time. Rates that nobody has tuned.',
    file: 'presets/scenes-consistency.dmd.json',
    teacher: ofClasses(32),
  },
  {
    kind: 'distill',
    name: 'scenes-progressive',
    title: 'Built-in model by progressive distillation',
    detail:
      'Progressive distillation of the built-in teacher: from 32 steps down to one, halved in five stages. Rates that nobody has tuned.',
    file: 'presets/scenes-progressive.dmd.json',
    teacher: ofClasses(32),
  },
  {
    kind: 'distill',
    name: 'fashion-mnist-dmd2',
    title: 'Fashion-MNIST by DMD2',
    detail:
      'DMD2 for the teacher that the preset fashion-mnist of dmd teach makes, with its pictures for the GAN loss.',
    file: 'presets/fashion-mnist-dmd2.dmd.json',
    teacher: ofClasses(32),
  },
  {
    kind: 'distill',
    name: 'fashion-mnist',
    title: 'Fashion-MNIST, a few minutes',
    detail: 'Distills the teacher that the preset fashion-mnist of dmd teach makes of 60,000 pictures of garments.',
    file: 'presets/fashion-mnist.dmd.json',
    teacher: ofClasses(32),
  },
  {
    kind: 'distill',
    name: 'own-pictures',
    title: 'Your own pictures, a few minutes',
    detail:
      'Distills the teacher that the preset own-pictures of dmd teach makes of a folder of pictures. Put its ' +
      'teacher.safetensors beside this file under this name, or give its path here.',
    file: 'presets/fashion-mnist.dmd.json',
    set: { name: 'own-pictures', teacher: 'own-pictures-teacher.safetensors' },
    teacher: ofClasses(32),
  },
  {
    kind: 'distill',
    name: 'cifar10',
    title: 'CIFAR-10 by class',
    detail: "The paper's settings for class-conditional CIFAR-10.",
    file: 'presets/cifar10.dmd.json',
    teacher: ofClasses(32),
  },
  {
    kind: 'distill',
    name: 'cifar10-unconditional',
    title: 'CIFAR-10 without classes',
    detail: "The paper's settings for unconditional CIFAR-10.",
    file: 'presets/cifar10-unconditional.dmd.json',
    teacher: { prompt: false, side: 32, classes: false },
  },
  {
    kind: 'distill',
    name: 'imagenet64',
    title: 'ImageNet-64',
    detail: "The paper's settings for ImageNet at 64 pixels.",
    file: 'presets/imagenet64.dmd.json',
    teacher: ofClasses(64),
  },
  {
    kind: 'distill',
    name: 'imagenet64-dmd2',
    title: 'ImageNet-64 by DMD2',
    detail: "DMD2's settings for ImageNet at 64 pixels.",
    file: 'presets/imagenet64-dmd2.dmd.json',
    teacher: ofClasses(64),
  },
  {
    kind: 'distill',
    name: 'sd15-guidance3',
    title: 'Stable Diffusion v1.5, guidance 3',
    detail: "The paper's settings for Stable Diffusion v1.5, with guidance 3 on the real score.",
    file: 'presets/sd15-guidance3.dmd.json',
    teacher: ofPrompts(512),
  },
  {
    kind: 'distill',
    name: 'sd15-guidance8',
    title: 'Stable Diffusion v1.5, guidance 8',
    detail:
      "The paper's settings for Stable Diffusion v1.5, with guidance 8 on the real score and for the pairs. Put beside this " +
      'file what the preset sd15-guidance3 names, or give the paths here.',
    file: 'presets/sd15-guidance3.dmd.json',
    set: { name: 'sd15-guidance8', 'text.guidance': 8 },
    teacher: ofPrompts(512),
  },
  {
    kind: 'distill',
    name: 'scenes-text-student',
    title: 'Built-in text model',
    detail:
      'Made the built-in one-step text model (in float16) from the built-in text teacher; recording does not change it.',
    file: 'scenes-text/student.dmd.json',
    set: { record: watched },
    teacher: ofPrompts(64),
  },
  {
    kind: 'distill',
    name: 'scenes-text-lcm',
    title: 'Built-in text model by LCM',
    detail:
      'Latent consistency distillation of the built-in text teacher: a generator of four steps, along its guided paths on captioned scenes. Rates that nobody has tuned.',
    file: 'presets/scenes-text-lcm.dmd.json',
    teacher: ofPrompts(64),
  },
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

export const presets: readonly Preset[] = sources;

/** Of all kinds that the kind's command takes, in which every name is there once. */
export function presetNames(kind: ConfigKind): string[] {
  return sources.filter((source) => commandOfKind(source.kind) === commandOfKind(kind)).map(({ name }) => name);
}

/** The preset as the text of a new config, comments included. Throws UserError('usage') for an unknown name. */
export function presetText(kind: ConfigKind, name: string): string {
  const { file, set, detail } = find(kind, name);
  const source = path.join(packageRoot(), 'media', file);
  const text = onDisk('read', source, () => readText(source, 'config'));
  return set === undefined ? text : withComment(replaced(text, set), detail);
}

/**
 * @param base folder that the preset's own relative paths are taken from, such as that of a teacher to be downloaded
 * @throws UserError('usage') for an unknown name
 */
export function presetConfig(kind: ConfigKind, name: string, base: string): Config {
  return configFromText(presetText(kind, name), path.join(base, `${name}.dmd.json`));
}

function find(kind: ConfigKind, name: string): Source {
  const command = commandOfKind(kind);
  const found = sources.find((source) => commandOfKind(source.kind) === command && source.name === name);
  if (found) return found;
  const names = presetNames(kind);
  const meant = nearest(name, names);
  const hint = meant ? `Did you mean ${meant}?` : `Presets are ${names.join(', ')}.`;
  throw new UserError('usage', `there is no preset '${name}' of dmd ${command}`, hint);
}

function replaced(text: string, set: Readonly<Record<string, unknown>>): string {
  const formattingOptions = { insertSpaces: true, tabSize: 2, eol: '\n' };
  return Object.entries(set).reduce(
    (before, [key, value]) => applyEdits(before, modify(before, key.split('.'), value, { formattingOptions })),
    text,
  );
}

/** The file's own comment speaks of another config: the first one inside the braces says what this one is. */
function withComment(text: string, detail: string): string {
  const body = text.replace(/^(?:\s*\/\/.*\n)*\{\n(?:\s*\/\/.*\n)*/, '');
  const lines = detail.match(/\S.{0,99}(?=\s|$)/g) ?? [];
  return `{\n${lines.map((line) => `  // ${line}\n`).join('')}${body}`;
}
