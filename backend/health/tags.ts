/**
 * Names of the numbers that health rules read, as they stand in a run's event files. `vitals/...` are recorded for this purpose
 * (methods/dmd/vitals/); the others are curves that a run has anyway.
 */

/** Of the batch just trained on; r = mean|x - mu_real| of a sample is the unit, so that noise levels count alike. */
export const batchTags = {
  /** mean |x - mu_fake|^2 / r^2 */
  fakeError: 'vitals/fake-error',
  /** mean |mu_fake - mu_real|^2 / r^2 */
  difference: 'vitals/difference',
  /**
   * mean (x - mu_fake)(mu_fake - mu_real) / r^2. What is left of x - mu_fake is independent of everything known of x_t once the fake
   * score has learnt its samples (it is a conditional mean), so this is 0 then; positive while the fake score is still on its
   * way from the real one.
   */
  lag: 'vitals/lag',
  /** The matching gradient over what the nearest weight of Table 2 makes of the same difference: 1. */
  gradientScale: 'vitals/gradient-scale',
  /** The same, sample by sample: exp of the root mean square logarithm; 1 for each of Table 2's weights. */
  gradientMisfit: 'vitals/gradient-misfit',
  /** How many different noise levels the batch had: 0 one for all, 1 one each. */
  levels: 'vitals/levels',
} as const;

/** Of samples of fixed noise, beside the teacher's own samples. */
export const sampleTags = {
  /** Standard deviation of all numbers over the teacher's. */
  contrast: 'vitals/contrast',
  /** Mean distance of two samples over the teacher's. */
  diversity: 'vitals/diversity',
  /** Energy distance to the teacher's samples over the mean distance of two of those. */
  distance: 'vitals/distance',
  /** Share of numbers beyond the range of the teacher's samples. */
  beyond: 'vitals/beyond',
  /** Loss of the fake score, and of the teacher in its place, on these samples at fixed noise. */
  freshFake: 'vitals/fresh-fake',
  freshTeacher: 'vitals/fresh-teacher',
  /** The same losses on the teacher's samples: the fake score's depends on its own weights alone, the teacher's stays. */
  knownFake: 'vitals/known-fake',
  knownTeacher: 'vitals/known-teacher',
} as const;

/** Of two gradients of the generator from batches of their own, g and h. */
export const gradientTags = {
  /** g h: an estimate of the squared norm of the true gradient. */
  signal: 'vitals/gradient-signal',
  /** |g - h|^2 / 2 over the micro-batches of an update: an estimate of what noise adds to it. */
  noise: 'vitals/gradient-noise',
} as const;

/** Of the optimizers' state. */
export const stateTags = {
  /** Updates made so far. */
  updatesGenerator: 'vitals/updates-generator',
  updatesFake: 'vitals/updates-fake',
} as const;

/** Of a method with a GAN loss. */
export const ganTags = {
  /** The generator's, softplus(-D(x)). */
  lossGan: 'loss/gan',
  lossDiscriminator: 'loss/discriminator',
  /** Share of images, real and generated alike, that the discriminator takes for what they are. */
  right: 'gan/right',
} as const;

export const curveTags = {
  lossFake: 'loss/fake',
  lossMatching: 'loss/matching',
  lossRegression: 'loss/regression',
  /** Of a method whose generator is to agree with itself along its teacher's path. */
  lossConsistency: 'loss/consistency',
  /** Of one that is to arrive in one step where its teacher does in two. */
  lossStudent: 'loss/student',
  residualReal: 'residual/real',
  residualFake: 'residual/fake',
  normGenerator: 'norm/generator',
  normFake: 'norm/fake',
} as const;

/** A verdict as a curve, 0 well, 1 a warning, 2 an alarm; and, under the same name, its words as text. */
export const verdictTag = (rule: string) => `health/${rule}`;

/** Everything that rules read. */
export const readTags: readonly string[] = [batchTags, sampleTags, gradientTags, stateTags, ganTags, curveTags].flatMap(
  (tags) => Object.values(tags),
);
