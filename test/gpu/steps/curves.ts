/**
 * DMD iterations on the device beside the CPU's, from the same weights and draws: every loss and gradient norm, and how far apart
 * the two ever are. The CPU's are kept for the next device.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openDevice } from '../../../backend/engine/open.ts';
import type { Trainer } from '../../../backend/training/trainer.ts';
import type { Curve, Findings } from '../record.ts';
import type { StepContext } from './step.ts';
import { trainingInWords, trainingOn } from './training.ts';

const names = ['lossMatching', 'lossRegression', 'lossFake', 'normGenerator', 'normFake'] as const;
type Values = Readonly<Record<(typeof names)[number], number>>;

/**
 * Shares of a curve's largest number. Two devices round differently, and training carries that on: at first only rounding
 * tells them apart, later the curves may part a little.
 */
const allowed = { first: 1e-3, firstIterations: 5, ever: 5e-2 } as const;
/** The last bit of the step's time is for ending. */
const share = 0.85;

export async function curves({ device, settings, limit, work, tell }: StepContext): Promise<Findings> {
  const start = performance.now();
  const left = () => share * limit * 1000 - (performance.now() - start);
  const file = path.join(work, `cpu-curves-${settings.small ? 'small' : 'built-in'}.json`);
  const cpu = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Values[]) : [];
  const known = cpu.length;
  const trainer = await trainingOn(await openDevice(device, settings.threads), settings.small);
  // Where another device came this far, its numbers of the CPU are enough.
  const host = known > 0 ? null : await trainingOn(await openDevice('cpu', settings.threads), settings.small);
  const most = host ? settings.iterations : Math.min(settings.iterations, known);
  const own: Values[] = [];
  const found = () => described(own, cpu, settings.small, settings.iterations);
  let longest = 0;
  while (own.length < most && (own.length < 2 || left() > longest)) {
    const began = performance.now();
    own.push(await next(trainer));
    if (host) cpu.push(await next(host));
    // The first one compiles.
    if (own.length > 1) longest = Math.max(longest, performance.now() - began);
    tell(found());
  }
  if (host) writeFileSync(file, JSON.stringify(cpu));
  return found();
}

async function next(trainer: Trainer): Promise<Values> {
  const { scalars } = await trainer.advance();
  return Object.fromEntries(names.map((name) => [name, scalars[name]!])) as Values;
}

function described(own: readonly Values[], cpu: readonly Values[], small: boolean, wanted: number): Findings {
  const count = Math.min(own.length, cpu.length);
  const curves = names.map((name): Curve => {
    const of = (all: readonly Values[]) => all.slice(0, count).map((values) => values[name]);
    return { name, device: of(own), cpu: of(cpu) };
  });
  const measured = curves.map((curve) => ({ name: curve.name, ...apart(curve) }));
  const rows = measured.map(({ name, first, ever, at, scale }) => {
    return [
      name,
      ratio(first),
      ratio(ever),
      `${at}`,
      scale.toPrecision(4),
      ever * scale === 0 ? '0' : (ever * scale).toExponential(1),
    ];
  });
  const failures = measured.flatMap(({ name, first, ever, at }) => [
    ...(first <= allowed.first
      ? []
      : [
          `${name}: ${ratio(first)} apart in the first ${allowed.firstIterations} iterations, ${allowed.first} is allowed`,
        ]),
    ...(ever <= allowed.ever ? [] : [`${name}: ${ratio(ever)} apart in iteration ${at}, ${allowed.ever} is allowed`]),
  ]);
  const notes = [
    `${count} iterations of ${trainingInWords(small)}${count < wanted ? `, of ${wanted}: the step's time was up` : ''}`,
    "apart: the difference over the largest number of the CPU's curve",
  ];
  const head = [
    'curve',
    `apart in the first ${allowed.firstIterations}`,
    'apart at most',
    'in iteration',
    'largest number',
    'difference',
  ];
  return { table: { head, rows }, curves, notes, failures, data: measured };
}

const ratio = (value: number) => (value === 0 ? '0' : value.toExponential(1));

/** How far a curve is from the CPU's: as a share of its largest number, in the first iterations and at most, and where. */
export function apart({ device, cpu }: Curve) {
  const scale = Math.max(...cpu.map(Math.abs));
  // What is no number is as far away as can be.
  const difference = (i: number) => {
    const value = Math.abs(device[i]! - cpu[i]!);
    return Number.isNaN(value) ? Infinity : value === 0 ? 0 : value / scale;
  };
  const all = cpu.map((_, i) => difference(i));
  const ever = Math.max(0, ...all);
  const first = Math.max(0, ...all.slice(0, allowed.firstIterations));
  return { first, ever, at: all.indexOf(ever) + 1, scale };
}
