/** The fake score must know what the generator makes now: one that lags or swings makes every gradient wrong. */
import { combined, medianOf, type RecordedNumbers, recent } from '../numbers.ts';
import { curveTags, sampleTags, stateTags } from '../tags.ts';
import type { Finding } from '../verdict.ts';
import { figure, type Rule } from './rule.ts';

/** Check-ups until a run can be judged, and how many in a row make a fake score that does not learn. */
const [least, still] = [6, 5];
/** The teacher never saw these samples, the fake score trains on their like: doing this much worse is lagging. */
const worseThanTeacher = 1.3;
/** Its gradient over the usual, for so many records: what it had learnt is no longer what the generator makes. */
const [surge, during] = [4, 5];
/** Fake-score updates per generator update; the paper has 1, others more. */
const fewest = 0.5;

/**
 * Lagging, by any of four signs. Too few updates. Frozen: its loss on the teacher's samples, which depends on its weights alone, is
 * the same number again and again while the generator moves. Worse than the teacher on fresh samples at fixed noise. Left behind: its
 * gradient surges, since its samples have changed faster than it learns.
 */
export const fakeScoreLags: Rule = {
  name: 'fake-score-lags',
  title: 'fake score lagging',
  reads: [sampleTags.freshFake, curveTags.normFake],
  find: (numbers) => fewUpdates(numbers) ?? frozen(numbers) ?? worse(numbers) ?? leftBehind(numbers),
};

function fewUpdates(numbers: RecordedNumbers): Finding {
  const [fake, generator] = [stateTags.updatesFake, stateTags.updatesGenerator].map((tag) => numbers.curve(tag).at(-1));
  if (!fake || !generator || generator.value < 20 || fake.value >= fewest * generator.value) return null;
  return {
    ...{ severity: 'alarm', step: fake.step },
    statement: `The fake score is updated too seldom: ${figure(fake.value)} times so far, and the generator ${figure(generator.value)} times.`,
    advice: 'Update the fake score at least once per update of the generator (fake.updatesPerStep).',
  };
}

function frozen(numbers: RecordedNumbers): Finding {
  const known = numbers.curve(sampleTags.knownFake).slice(-still);
  const moves =
    new Set(
      numbers
        .curve(sampleTags.freshTeacher)
        .slice(-still)
        .map(({ value }) => value),
    ).size > 1;
  if (known.length < still || !moves || known.some(({ value }) => value !== known[0]!.value)) return null;
  const [{ step, value }] = [known[0]!];
  return {
    ...{ severity: 'alarm', step: known.at(-1)!.step },
    statement: `The fake score does not learn: since step ${step} its loss on the teacher's samples is ${figure(value)} at every check-up, while the generator changes.`,
    advice: 'See that the fake score is updated at every step, and that its learning rate is not 0.',
  };
}

function worse(numbers: RecordedNumbers): Finding {
  const last = numbers.lastStep;
  const [fresh, teacher] = [sampleTags.freshFake, sampleTags.freshTeacher].map((tag) => numbers.curve(tag));
  const ratios = recent(
    combined(fresh!, teacher!, (a, b) => a / b),
    last,
    1 / 3,
    least,
  );
  if (!ratios || medianOf(ratios) < worseThanTeacher) return null;
  const [ours, theirs] = [fresh!, teacher!].map((curve) => medianOf(recent(curve, last, 1 / 3, least)!));
  const trained = recent(numbers.curve(curveTags.lossFake), last, 1 / 3, least);
  const training = trained ? ` (${figure(medianOf(trained))} on the batches it trains on)` : '';
  return {
    ...{ severity: 'alarm', step: ratios.at(-1)!.step },
    statement: `The fake score lags behind the generator: on fresh samples its loss is ${figure(ours!)}${training}, the teacher's on the same samples ${figure(theirs!)}.`,
    advice: keepUp,
  };
}

function leftBehind(numbers: RecordedNumbers): Finding {
  const curve = numbers.curve(curveTags.normFake);
  const window = recent(curve, numbers.lastStep, 0.05, during);
  // At the very start everything is new to it.
  if (!window || curve.length < 4 * window.length) return null;
  const [now, usual] = [medianOf(window), medianOf(curve)];
  if (now < surge * usual) return null;
  return {
    ...{ severity: 'alarm', step: window.at(-1)!.step },
    statement: `The fake score is left behind: the norm of its gradient is ${figure(now)} since step ${window[0]!.step}, and usually ${figure(usual)}.`,
    advice: keepUp,
  };
}

const keepUp = 'Raise fake.lr or fake.updatesPerStep, or lower generator.lr, so that the fake score keeps up.';

/** A swing is a turn of the curve by this share of its middle. */
const swing = 0.4;
const swings = 4;

export const fakeScoreOscillates: Rule = {
  name: 'fake-score-oscillates',
  title: 'fake score oscillating',
  reads: [sampleTags.freshFake],
  find(numbers) {
    const curve = recent(numbers.curve(sampleTags.freshFake), numbers.lastStep, 0.5, 8);
    if (!curve) return null;
    const middle = medianOf(curve);
    const turns = turnsOf(curve.map(({ value }) => value).filter(Number.isFinite), swing * middle);
    if (turns < swings) return null;
    const values = curve.map(({ value }) => value);
    return {
      ...{ severity: 'alarm', step: curve.at(-1)!.step },
      statement: `The fake score oscillates: its loss on fresh samples at fixed noise turned ${turns} times between ${figure(Math.min(...values))} and ${figure(Math.max(...values))} since step ${curve[0]!.step}.`,
      advice: 'Lower fake.lr, or use larger batches.',
    };
  },
};

/** How often a curve changes its direction by at least `size`. */
function turnsOf(values: readonly number[], size: number): number {
  let turns = 0;
  let direction = 0;
  let extreme = values[0] ?? 0;
  for (const value of values) {
    if (direction === 0 && Math.abs(value - extreme) >= size) {
      direction = Math.sign(value - extreme);
      extreme = value;
    } else if (direction * (value - extreme) > 0) {
      extreme = value;
    } else if (direction * (extreme - value) >= size) {
      turns += 1;
      direction = -direction;
      extreme = value;
    }
  }
  return turns;
}
