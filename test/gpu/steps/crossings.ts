/** What crosses between host and device in a DMD iteration, as the engine counts it. */
import { type Crossed, type Direction, totalOf } from '../../../backend/engine/crossings.ts';
import { openDevice } from '../../../backend/engine/open.ts';
import type { Findings } from '../record.ts';
import type { StepContext } from './step.ts';
import { trainingInWords, trainingOn } from './training.ts';

const iterations = 3;
const ways: Readonly<Record<Direction, string>> = { toDevice: 'to the device', toHost: 'to the host' };

export async function crossings({ device, settings: { small, threads } }: StepContext): Promise<Findings> {
  const engine = await openDevice(device, threads);
  const { crossings: counter } = engine;
  if (!counter) return { notes: ['this engine does not count what crosses'], failures: [] };
  const trainer = await trainingOn(engine, small);
  // The state crosses when it is first used.
  await trainer.advance();
  const first = sum(counter.take());
  for (let i = 0; i < iterations; i++) await trainer.advance();
  const crossed = counter.take();
  const rows = [
    ...(Object.keys(ways) as Direction[]).flatMap((direction) => rowsOf(crossed, direction)),
    ['both', 'all', '', inWords(sum(crossed) / iterations)],
  ];
  const notes = [
    `${trainingInWords(small)}; mean of ${iterations} iterations after the first one, before whose end ${inWords(first)} crossed`,
  ];
  const { onHost } = await engine.capabilities();
  if (onHost) notes.push("the device's memory is the host's");
  const data = { perIteration: sum(crossed) / iterations, first };
  return { table: { head: ['way', 'what', 'copies', 'an iteration'], rows }, notes, failures: [], data };
}

function rowsOf(crossed: Crossed, direction: Direction): string[][] {
  const largest = [...crossed[direction]].sort(([, a], [, b]) => b.bytes - a.bytes);
  return largest.map(([name, { copies, bytes }]) => {
    return [ways[direction], name, (copies / iterations).toFixed(1), inWords(bytes / iterations)];
  });
}

const sum = (crossed: Crossed) => totalOf(crossed, 'toDevice').bytes + totalOf(crossed, 'toHost').bytes;

function inWords(bytes: number): string {
  return bytes < 1e5 ? `${Math.round(bytes)} B` : `${(bytes / 1e6).toFixed(2)} MB`;
}
