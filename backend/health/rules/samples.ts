/** What the samples say beside the teacher's: fewer kinds than there should be, more contrast, farther than they had been. */
import { type Curve, medianOf, recent } from '../numbers.ts';
import { sampleTags } from '../tags.ts';
import { figure, percent, type Rule, steadied } from './rule.ts';

/** Half the teacher's diversity, for so many check-ups. */
const [narrow, least] = [0.5, 8];
/** A generator begins with little of it: what still widens is no collapse. */
const widening = 1.25;

/** Diversity that is lost, or that is low and does not grow. */
export const collapse: Rule = {
  name: 'collapse',
  title: 'collapse',
  reads: [sampleTags.diversity],
  find(numbers) {
    const whole = numbers.curve(sampleTags.diversity);
    // While the generator rests (a warm-up of the fake score), nothing can widen.
    const start = whole.findIndex(({ value }, i) => i > 0 && Math.abs(value / whole[i - 1]!.value - 1) > 1e-3);
    const all = start < 0 ? [] : whole.slice(start - 1);
    const window = recent(all, numbers.lastStep, 0.5, least);
    if (!window) return null;
    const now = medianOf(window.slice(-3));
    const best = all.reduce((most, entry) => (entry.value > most.value ? entry : most));
    const lost = best.value >= narrow && now < 0.6 * best.value && now < narrow;
    const before = medianOf(window.slice(0, 3));
    if (!lost && !(now < narrow && now < widening * before)) return null;
    const history = lost
      ? `, after ${percent(best.value)} at step ${best.step}`
      : ` since step ${window[0]!.step}, and not growing`;
    return {
      ...{ severity: 'alarm', step: window.at(-1)!.step },
      statement: `The samples have collapsed: two of them differ by ${percent(now)} of what two of the teacher's do${history}.`,
      advice: `${steadied(numbers)}, or go back to a checkpoint from before and lower generator.lr.`,
    };
  },
};

export const saturation: Rule = {
  name: 'saturation',
  title: 'saturation or contrast drifting',
  reads: [sampleTags.contrast],
  find(numbers) {
    const [contrast, beyond] = [sampleTags.contrast, sampleTags.beyond].map((tag) => numbers.curve(tag).slice(-3));
    if (contrast!.length < 3 || beyond!.length < 3) return null;
    const [spread, share] = [medianOf(contrast!), medianOf(beyond!)];
    if (spread < 1.35 && share < 0.1) return null;
    return {
      ...{ severity: 'alarm', step: contrast!.at(-1)!.step },
      statement: `The samples drift out of range: their contrast is ${percent(spread)} of the teacher's, and ${percent(share)} of their numbers lie beyond all of the teacher's.`,
      advice:
        'Lower generator.lr (or the guidance of the real score, where there is some), and go back to a checkpoint from before.',
    };
  },
};

/** Farther than the best by this much of the teacher's own diversity, and by this factor. */
const [farther, times] = [0.05, 1.5];

export const pastPeak: Rule = {
  name: 'past-peak',
  title: 'quality past its peak',
  reads: [sampleTags.distance],
  find(numbers) {
    const curve = numbers.curve(sampleTags.distance);
    if (curve.length < 8) return null;
    const smooth = smoothed(curve);
    const turn = smooth.indexOf(nearest(smooth));
    // The smoothed curve says where, the curve itself at which check-up.
    const best = { step: nearest(curve.slice(turn, turn + 3)).step, value: smooth[turn]!.value };
    const after = smooth.filter(({ step }) => step > best.step);
    const now = medianOf(after.slice(-3));
    const limit = Math.max(best.value + farther, times * best.value);
    // A turn that lasts: four check-ups, all of them past the limit.
    if (after.length < 4 || !after.slice(-4).every(({ value }) => value > limit)) return null;
    return {
      ...{ severity: now > best.value + 5 * farther ? 'alarm' : 'warning', step: curve.at(-1)!.step },
      statement: `Quality is past its peak: the samples' distance to the teacher's is ${figure(now)}, and was ${figure(best.value)} at step ${best.step}. The best checkpoint was step ${best.step}.`,
      advice: `Go back to the checkpoint nearest to step ${best.step}; to go on from there, lower generator.lr.`,
    };
  },
};

const nearest = (curve: Curve) => curve.reduce((least, entry) => (entry.value < least.value ? entry : least));

/** Each with its neighbours: the median of three. */
function smoothed(curve: Curve): Curve {
  return curve.slice(1, -1).map(({ step }, i) => ({ step, value: medianOf(curve.slice(i, i + 3)) }));
}
