/** Presets of dmd distill: the built-in models, the paper's settings and ablations, other methods, real data. */
import type { PresetTeacher, Source } from './source.ts';

const ofClasses = (side: number): PresetTeacher => ({ prompt: false, side, classes: true });
const ofPrompts = (side: number): PresetTeacher => ({ prompt: true, side, classes: false });

/** For runs that are watched; recording never disturbs training. */
const watched = { samplesEvery: 25, probeEvery: 25, fieldsEvery: 250, histogramsEvery: 250 };

const ablation = (name: string, title: string, detail: string, set: Readonly<Record<string, unknown>>): Source => ({
  ...{ kind: 'distill', name: `scenes-${name}`, title: `Built-in model, ${title}`, detail },
  ...{ file: 'scenes/generator.dmd.json', set: { name: `scenes-${name}`, ...set, record: watched } },
  teacher: ofClasses(32),
});

/** The other losses of Figure 3. */
const figure3 = (name: string, title: string, detail: string, set: Readonly<Record<string, unknown>>): Source => ({
  ...{ kind: 'distill', name: `figure-3-${name}`, title: `Two modes in the plane, ${title}`, detail },
  ...{ file: 'presets/figure-3.dmd.json', set: { name: `figure-3-${name}`, ...set } },
});

export const distillPresets: readonly Source[] = [
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
      'Made the built-in one-step generator from the built-in teacher, before DMD2 went on with it; recording does not change it.',
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
];
