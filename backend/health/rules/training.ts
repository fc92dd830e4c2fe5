/** What the training itself shows: losses that run away, residuals that part, a state that was not whole when it was taken up. */
import { combined, medianOf, recent } from '../numbers.ts';
import { curveTags, stateTags } from '../tags.ts';
import { figure, type Rule, steadied } from './rule.ts';

/** Records that make a window. */
const least = 10;

/** mu_real and mu_fake are predictions of the same x_t: x cannot be far from one of them only, for long. */
const apart = 3;

export const residualsApart: Rule = {
  name: 'residuals-apart',
  title: 'real and fake residuals drifting apart',
  reads: [curveTags.residualReal],
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
      advice: `The generator leaves what the teacher knows: look at its samples. ${steadied(numbers)}, or lower generator.lr.`,
    };
  },
};

/** The fake score's loss over its first: ten times is more than any start or schedule explains. A single value over the usual. */
const [runaway, spikes] = [10, 1e4];

export const diverging: Rule = {
  name: 'diverging',
  title: 'training diverging',
  reads: Object.values(curveTags),
  find(numbers) {
    for (const tag of Object.values(curveTags)) {
      const last = numbers.curve(tag).at(-1);
      if (!last || Number.isFinite(last.value)) continue;
      return {
        ...{ severity: 'alarm', step: last.step },
        statement: `The training broke down: ${tag} became NaN or infinite at step ${last.step}.`,
        advice:
          'Look at the tensors of the stop (fields/stop), lower the learning rates, and go on from the last checkpoint.',
      };
    }
    for (const [tag, what] of [
      [curveTags.lossFake, "The fake score's loss"],
      [curveTags.lossMatching, 'The matching loss'],
    ] as const) {
      const curve = numbers.curve(tag);
      const middle = medianOf(curve);
      const spike = curve.length >= least ? curve.find(({ value }) => value > spikes * middle) : undefined;
      if (!spike || !(middle > 0)) continue;
      return {
        ...{ severity: 'alarm', step: spike.step },
        statement: `${what} jumped to ${figure(spike.value)} at step ${spike.step}; usually it is ${figure(middle)}.`,
        advice: 'Lower generator.lr and fake.lr, and begin anew or from a checkpoint before the jump.',
      };
    }
    const curve = numbers.curve(curveTags.lossFake);
    const now = recent(curve, numbers.lastStep, 1 / 3, least);
    const [value, early] = [medianOf(now ?? []), medianOf(curve.slice(0, least))];
    if (!now || curve.length < 3 * least || !(value >= runaway * early)) return null;
    return {
      ...{ severity: 'alarm', step: now.at(-1)!.step },
      statement: `The fake score's loss runs away: it is ${figure(value)}, after ${figure(early)} at first.`,
      advice: 'Lower generator.lr and fake.lr, and begin anew or from an earlier checkpoint.',
    };
  },
};

export const optimizerState: Rule = {
  name: 'optimizer-state',
  title: 'optimizer state missing after a resume',
  reads: Object.values(stateTags),
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
