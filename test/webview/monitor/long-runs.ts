/** Runs of many steps, in memory: noisy losses with a peak now and then. */
import { followRun, openRun, unfollowRun } from '../../../backend/protocol/rpc/index.ts';
import { uniform } from '../../random.ts';
import { BackendInProcess } from './backend.ts';
import { answerCurves, type Columns } from './curves.ts';

export interface LongRuns {
  readonly tags: readonly string[];
  /** Of each curve. */
  readonly points: number;
  readonly state: 'running' | 'finished';
  /** Steps that have one. */
  readonly checkpoints?: readonly number[];
}

/** What a run records of every step. */
export const sixteenTags = [
  ...['loss/matching', 'loss/regression', 'loss/fake', 'norm/generator', 'norm/fake', 'gradient/mean'],
  ...['residual/real', 'residual/fake', 'rate/generator', 'rate/fake', 'lambda', 'speed/images per second'],
  ...['speed/processors in use', 'memory/resident MB', 'level/first', 'level/last'],
];

export function longRuns({ tags, points, state, checkpoints = [] }: LongRuns): BackendInProcess {
  const backend = new BackendInProcess();
  const none = { training: [], probe: [], stop: [] };
  backend.answer(openRun, ({ folder }) => {
    const record = {
      ...{ folder, name: folder.split('/').at(-1)!, tags: [], kind: 'distill' as const, state, step: points },
      ...{
        iterations: 2 * points,
        device: 'cpu',
        threads: 1,
        ranks: 1,
        createdAt: null,
        startedAt: null,
        endedAt: null,
      },
      ...{ updatedAt: null, secondsLeft: null, work: null, process: null, error: null },
    };
    return {
      ...{ record, config: '{}', tags: [...tags], histograms: [], samples: [], checkpoints: [...checkpoints] },
      ...{ fields: none, warnings: [] },
    };
  });
  backend.answer(followRun, () => null);
  backend.answer(unfollowRun, () => null);
  const steps = Float64Array.from({ length: points }, (_, i) => i + 1);
  const times = steps.map((step) => 1e9 + step / 2);
  const curves = new Map<string, Columns>();
  answerCurves(backend, tags, (tag, folder) => {
    const key = `${folder} ${tag}`;
    const value = (_: number, i: number) => 1 / (1 + i / 1e4) + 0.3 * uniform() + (i % 9973 === 0 ? 1 : 0);
    const curve = curves.get(key) ?? { steps, times, values: steps.map(value) };
    curves.set(key, curve);
    return curve;
  });
  return backend;
}
