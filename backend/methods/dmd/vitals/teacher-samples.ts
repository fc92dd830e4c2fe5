/** Samples of the teacher that generated ones are held against: the run's pairs where it has some, else made for the purpose. */
import type { Engine } from '../../../engine/engine.ts';
import { sizeOf, type TensorData } from '../../../graph/tensor-data.ts';
import type { ConditionSource, HostTensors } from '../../../models/conditions.ts';
import { stream } from '../../../random/stream.ts';
import type { ReferencePairs } from '../../common/pairs.ts';
import type { DistillTeacher } from '../../common/teacher.ts';

export interface TeacherSamplesOptions {
  readonly pairs: ReferencePairs | null;
  readonly conditions: ConditionSource;
  readonly seed: number;
  readonly signal: AbortSignal;
}

const wanted = 32;
/** Draws of pairs are named by step and micro-batch; this one belongs to no iteration. */
const noMicro = 2_000_000;

export interface TeacherSamples {
  /** [N, ...] */
  readonly y: TensorData;
  /** What they are of, [N, ...] each. */
  readonly conditions: HostTensors;
}

/** At most 32, fewer where the pairs drawn have doubles. Throws UserError, 'cancelled' among them. */
export async function teacherSamples(
  engine: Engine,
  { pairs: making }: Pick<DistillTeacher, 'pairs'>,
  { pairs, conditions, seed, signal }: TeacherSamplesOptions,
): Promise<TeacherSamples> {
  if (pairs) return withoutDoubles(await pairs.batch(0, noMicro, wanted));
  const sampler = await making.sampler(engine);
  try {
    const y: TensorData[] = [];
    const calls = Math.ceil(wanted / making.batch);
    const rows = conditions.inTurn(calls * making.batch);
    for (let call = 0; call < calls; call++) {
      const shape = [making.batch, ...making.shape];
      const z = stream(seed, 'health', 'teacher', call).randn(sizeOf(shape));
      const [from, to] = [call, call + 1].map((at) => at * making.batch);
      const own = await conditions.feeds(rowsOf(rows, range(from!, to!)));
      y.push({ shape, data: await sampler.sample(z, own, signal) });
    }
    const first = range(0, wanted);
    const all = { shape: [calls * making.batch, ...making.shape], data: joined(y.map(({ data }) => data)) };
    return { y: rowsOf(all, first), conditions: await conditions.feeds(rowsOf(rows, first)) };
  } finally {
    await sampler.dispose();
  }
}

/** A sample that is there twice would pass for a lack of diversity. */
function withoutDoubles({ y, conditions }: TeacherSamples): TeacherSamples {
  const numbers = sizeOf(y.shape.slice(1));
  const seen = new Map<string, number>();
  for (const n of range(0, y.shape[0]!)) {
    seen.set(Buffer.from(y.data.slice(n * numbers, (n + 1) * numbers).buffer).toString('latin1'), n);
  }
  const kept = [...seen.values()];
  const picked = Object.entries(conditions).map(([name, value]) => [name, rowsOf(value, kept)] as const);
  return { y: rowsOf(y, kept), conditions: Object.fromEntries(picked) };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

function rowsOf({ shape, data }: TensorData, rows: readonly number[]): TensorData {
  const numbers = sizeOf(shape.slice(1));
  return {
    shape: [rows.length, ...shape.slice(1)],
    data: joined(rows.map((row) => data.slice(row * numbers, (row + 1) * numbers))),
  };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The first `count` of them, over again where there are fewer. */
export function cycled({ y, conditions }: TeacherSamples, count: number): TeacherSamples {
  const rows = range(0, count).map((i) => i % y.shape[0]!);
  const picked = Object.entries(conditions).map(([name, value]) => [name, rowsOf(value, rows)] as const);
  return { y: rowsOf(y, rows), conditions: Object.fromEntries(picked) };
}
