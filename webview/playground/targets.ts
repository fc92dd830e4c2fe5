/** Targets to choose from, and modes along what a person draws. */
import type { Target } from '../../backend/protocol/panels/playground-settings.ts';

export type Point = readonly [number, number];

/** More make nothing clearer. */
export const mostModes = 200;

const start = (x: number, y: number, std = 0.05): Target['start'] => ({ centre: [x, y], std });

const around = (count: number, of: (part: number) => Point): [number, number][] =>
  Array.from({ length: count }, (_, i) => [...of(i / count)]);

/** By name: what Figure 3 has, and others that show more modes than samples reach. */
export const targets = {
  two: {
    modes: [
      [-0.75, 0],
      [0.75, 0],
    ],
    std: 0.1,
    start: start(-0.3, 0.45),
  },
  ring: {
    modes: around(12, (part) => [0.8 * Math.cos(2 * Math.PI * part), 0.8 * Math.sin(2 * Math.PI * part)]),
    std: 0.08,
    start: start(0, 0),
  },
  grid: {
    modes: around(9, (part) => [
      0.7 * (Math.round(part * 9) % 3) - 0.7,
      0.7 - 0.7 * Math.floor(Math.round(part * 9) / 3),
    ]),
    std: 0.08,
    start: start(0.2, 0.25),
  },
  moons: {
    modes: [
      ...around(12, (part) => [
        0.7 * Math.cos(Math.PI * part * (12 / 11)) - 0.3,
        0.7 * Math.sin(Math.PI * part * (12 / 11)) - 0.15,
      ]),
      ...around(12, (part) => [
        0.3 - 0.7 * Math.cos(Math.PI * part * (12 / 11)),
        0.15 - 0.7 * Math.sin(Math.PI * part * (12 / 11)),
      ]),
    ],
    std: 0.07,
    start: start(0, 0.1),
  },
} satisfies Record<string, Target>;

export type TargetName = keyof typeof targets;

/** The width of each mode. */
export const stdsOf = ({ modes, std, stds }: Pick<Target, 'modes' | 'std' | 'stds'>): readonly number[] =>
  stds ?? modes.map(() => std);

/** The name of a target; `drawn` for what is none of those above. */
export function nameOf({ modes, std, stds }: Target): TargetName | 'drawn' {
  const same = (name: TargetName) =>
    JSON.stringify([targets[name].modes, targets[name].std]) === JSON.stringify([modes, std]) && stds === undefined;
  return (Object.keys(targets) as TargetName[]).find(same) ?? 'drawn';
}

/**
 * What a stroke adds: a mode wherever it is further than a mode is wide from those that are there. A smooth band of data comes of
 * Gaussians one standard deviation apart.
 */
export function alongStroke(modes: readonly Point[], stroke: readonly Point[], std: number): [number, number][] {
  const all: [number, number][] = modes.map(([x, y]) => [x, y]);
  const add = (point: Point) => {
    const isNear = all.some(([x, y]) => Math.hypot(x - point[0], y - point[1]) < std);
    if (!isNear && all.length < mostModes) all.push([rounded(point[0]), rounded(point[1])]);
  };
  stroke.forEach((point, i) => {
    const before = stroke[i - 1] ?? point;
    const pieces = Math.max(1, Math.ceil((4 * Math.hypot(point[0] - before[0], point[1] - before[1])) / std));
    for (let piece = i === 0 ? pieces : 1; piece <= pieces; piece++) {
      const part = piece / pieces;
      add([before[0] + part * (point[0] - before[0]), before[1] + part * (point[1] - before[1])]);
    }
  });
  return all;
}

/** More modes, each of the width that the target is drawn with unless they bring their own. */
export function withModes(target: Target, modes: Target['modes'], stds?: readonly number[]): Target {
  const added = modes.slice(target.modes.length);
  if (!stds && !target.stds) return { ...target, modes };
  const own = stds ?? added.map(() => target.std);
  return { ...target, modes, stds: [...stdsOf(target), ...own] };
}

/** Without the mode that is nearest to a point. */
export function withoutNearest(target: Target, [x, y]: Point): Target {
  const distances = target.modes.map((mode) => Math.hypot(mode[0] - x, mode[1] - y));
  const nearest = distances.indexOf(Math.min(...distances));
  const others = <T>(all: readonly T[]) => all.filter((_, i) => i !== nearest);
  const { stds } = target;
  return { ...target, modes: others(target.modes), ...(stds ? { stds: others(stds) } : {}) };
}

/** The first mode alone: a target has one. */
export function cleared({ stds, ...target }: Target): Target {
  return { ...target, modes: target.modes.slice(0, 1), ...(stds ? { stds: stds.slice(0, 1) } : {}) };
}

export const rounded = (value: number) => Math.round(value * 1000) / 1000;
