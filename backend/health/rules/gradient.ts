/** The gradient of distribution matching: there at all, of the right size, of many noise levels, and not all noise. */
import { meanOf, medianOf, recent } from '../numbers.ts';
import { batchTags, curveTags, gradientTags } from '../tags.ts';
import { figure, type Rule } from './rule.ts';

/** Batches that must have been looked at. */
const least = 5;

export const gradientScale: Rule = {
  name: 'gradient-scale',
  title: 'gradient of the wrong scale',
  reads: [batchTags.gradientMisfit],
  find(numbers) {
    const misfit = recent(numbers.curve(batchTags.gradientMisfit), numbers.lastStep, 1 / 3, least);
    // Each weight of Table 2 gives 1.
    if (!misfit || medianOf(misfit) < 1.5) return null;
    const scale = recent(numbers.curve(batchTags.gradientScale), numbers.lastStep, 1 / 3, least);
    const times = scale ? `on average ${figure(medianOf(scale))} times` : 'not';
    return {
      ...{ severity: 'alarm', step: misfit.at(-1)!.step },
      statement: `The matching gradient has the wrong scale: it is ${times} what the nearest weight of Table 2 makes of mu_fake - mu_real, and off by a factor of ${figure(medianOf(misfit))} from sample to sample.`,
      advice: 'See that each sample is divided by mean|x - mu_real| of its own (Eq. 8), once, over its own numbers.',
    };
  },
};

export const noiseLevels: Rule = {
  name: 'noise-levels',
  title: 'one noise level for the whole batch',
  reads: [batchTags.levels],
  find(numbers) {
    const levels = recent(numbers.curve(batchTags.levels), numbers.lastStep, 1 / 3, least);
    if (!levels || meanOf(levels) > 0.05) return null;
    return {
      ...{ severity: 'alarm', step: levels.at(-1)!.step },
      statement: `All samples of a batch have the same noise level: so in ${levels.filter(({ value }) => value === 0).length} of the last ${levels.length} batches looked at.`,
      advice: 'Draw a level for every sample of the batch, not one for all.',
    };
  },
};

export const deadGradient: Rule = {
  name: 'dead-gradient',
  title: 'dead gradient',
  reads: [batchTags.difference, curveTags.normGenerator],
  find(numbers) {
    const last = numbers.lastStep;
    const all = numbers.curve(batchTags.difference);
    const difference = recent(all, last, 1 / 3, least);
    if (difference && all.length >= 2 * least && medianOf(difference) < 1e-10) {
      const value = medianOf(difference);
      return {
        ...{ severity: 'alarm', step: difference.at(-1)!.step },
        statement: `Distribution matching has no gradient: mu_fake and mu_real are equal to ${figure(Math.sqrt(value))} of |x - mu_real|.`,
        advice: 'See that the fake score is trained on generated samples and is not the teacher itself.',
      };
    }
    const norm = numbers.curve(curveTags.normGenerator);
    const now = recent(norm, last, 0.1, 4 * least);
    const most = norm.reduce((max, { value }) => (value > max ? value : max), 0);
    if (!now || medianOf(now) > 1e-6 * most) return null;
    return {
      ...{ severity: 'alarm', step: now.at(-1)!.step },
      statement: `The generator's gradient is dead: its norm is ${figure(medianOf(now))}, after up to ${figure(most)} earlier.`,
      advice:
        'Look at the generated samples: saturated or constant ones give no gradient. Go back to an earlier checkpoint.',
    };
  },
};

/** Noise of this many times the signal, over the run: hundreds of updates then move as far as one of the true gradient. */
const tooNoisy = 100;

export const batchTooSmall: Rule = {
  name: 'batch-too-small',
  title: 'batch too small for the noise of the gradient',
  reads: [gradientTags.noise],
  find(numbers) {
    const [signal, noise] = [numbers.curve(gradientTags.signal), numbers.curve(gradientTags.noise)];
    if (signal.length < 4 || noise.length < 4) return null;
    const [along, around] = [meanOf(signal), meanOf(noise)];
    // The true gradient's squared norm is estimated with an error of about noise / sqrt(readings).
    if (!(around > 0) || around < tooNoisy * Math.max(along, around / Math.sqrt(signal.length) / tooNoisy)) return null;
    if (around < tooNoisy * Math.max(along, 0)) return null;
    return {
      ...{ severity: 'warning', step: noise.at(-1)!.step },
      statement: `The batch is small for the noise of the gradient: over ${signal.length} readings noise has ${along > 0 ? `${figure(around / along)} times` : 'far more than'} the squared norm of the gradient itself.`,
      advice: 'Raise batch or accumulation, or lower generator.lr to average over more updates.',
    };
  },
};
