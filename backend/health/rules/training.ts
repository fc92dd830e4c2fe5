/** What the training itself shows: losses that run away, residuals that part, a state that was not whole when it was taken up. */
import { combined, medianOf, recent } from '../numbers.ts';
import { curveTags, stateTags } from '../tags.ts';
import { figure, type Rule } from './rule.ts';

/** Records that make a window. */
const least = 10;

/** mu_real and mu_fake are predictions of the same x_t: x cannot be far from one of them only, for long. */
const apart = 3;

export const residualsApart: Rule = {
  name: 'residuals-apart',
  title: 'real and fake residuals drifting apart',
  find(numbers) {
    const [real, fake] = [curveTags.residualReal, curveTags.residualFake].map((tag) => numbers.curve(tag));
    const ratio = combined(real!, fake!, (a, b) => a / b);
    const now = recent(ratio, numbers.lastStep, 1 / 3, least);
    if (!now || ratio.length < 4 * least) return null;
    const value = medianOf(now);
    const parts = [0, 1, 2].map((part) =>
      medianOf(ratio.slice((part * ratio.length) >> 2, ((part + 1) * ratio.length) >> 2)),
    );
    const closest = Math.min(...parts.map((part) => Math.abs(Math.log(part))));
    // What begins apart and comes together is a start, not a sickness.
    if (Math.abs(Math.log(value)) < Math.log(apart) || Math.abs(Math.log(value)) < closest + Math.log(apart / 1.5))
      return null;
    return {
      ...{ severity: 'alarm', step: now.at(-1)!.step },
      statement: `Real and fake residuals drift apart: mean|x - mu_real| is ${figure(value)} times mean|x - mu_fake|, and was as near as ${figure(Math.exp(closest))} times earlier.`,
      advice:
        'The generator leaves what the teacher knows. Look at its samples; add regression, or lower generator.lr.',
    };
  },
};

/** The fake score's loss over the best it had been: ten times is more than any start or schedule explains. */
const runaway = 10;

export const diverging: Rule = {
  name: 'diverging',
  title: 'training diverging',
  find(numbers) {
    for (const [tag, what] of [
      [curveTags.lossFake, "The fake score's loss"],
      [curveTags.lossMatching, 'The matching loss'],
    ] as const) {
      const curve = numbers.curve(tag);
      const now = recent(curve, numbers.lastStep, 1 / 3, least);
      if (!now || curve.length < 2 * least) continue;
      const [most, middle] = [Math.max(...curve.map(({ value }) => value)), medianOf(curve)];
      const spike = curve.find(({ value }) => value > 1e4 * middle);
      const value = medianOf(now);
      const early = medianOf(curve.slice(0, least));
      if (!spike && value < runaway * early) continue;
      return {
        ...{ severity: 'alarm', step: spike?.step ?? now.at(-1)!.step },
        statement: spike
          ? `${what} jumped to ${figure(most)} at step ${spike.step}, from ${figure(middle)}.`
          : `${what} runs away: it is ${figure(value)}, after ${figure(early)} at first.`,
        advice: 'Lower generator.lr and fake.lr, and begin anew or from a checkpoint before the jump.',
      };
    }
    return null;
  },
};

export const optimizerState: Rule = {
  name: 'optimizer-state',
  title: 'optimizer state missing after a resume',
  find(numbers) {
    for (const [tag, what] of [
      [stateTags.updatesGenerator, 'generator'],
      [stateTags.updatesFake, 'fake score'],
    ] as const) {
      const curve = numbers.curve(tag);
      const at = curve.findIndex(({ value }, i) => i > 0 && value < curve[i - 1]!.value);
      if (at < 0) continue;
      const [before, after] = [curve[at - 1]!, curve[at]!];
      return {
        ...{ severity: 'alarm', step: after.step },
        statement: `The optimizer of the ${what} began anew: at step ${after.step} it had made ${figure(after.value)} updates, and ${figure(before.value)} at step ${before.step}.`,
        advice:
          'Resume with the optimizer state of the checkpoint; without it the first updates are as large as at the very start.',
      };
    }
    return null;
  },
};
