/**
 * What a teaching will need on a device, found out before it is begun: everything it names is opened and checked as the run
 * would, every image's header included, and a few of its iterations are done on the data itself. Nothing is written.
 */
import { openEngine } from '../../engine/devices.ts';
import type { Config, DistillConfig } from '../../protocol/config/index.ts';
import type { Records, TrainingSession } from '../../training/session.ts';
import { planOf } from '../loop/open.ts';

export interface TeachPlan {
  readonly device: string;
  /** Of the whole process, in bytes. */
  readonly memory: { readonly total: number };
  readonly imagesPerUpdate: number;
  /** Without recording. */
  readonly secondsPerUpdate: number;
  /** Of an update's share of the sample pictures, or of what is measured. */
  readonly recordingPerUpdate: number;
  /** All updates and their recording. */
  readonly seconds: number;
}

/** Updates after the first; the median counts. */
const timed = 3;
const nowhere: Records = { add() {}, samples() {}, fields() {} };

/** Throws UserError for what the run itself would refuse. */
export async function planTeaching(config: Exclude<Config, DistillConfig>): Promise<TeachPlan> {
  const { engine, device } = await openEngine({ device: config.device, threads: config.threads });
  try {
    const plan = await planOf(config, {});
    const surroundings = { engine, folder: '', recorder: nowhere, report() {}, signal: new AbortController().signal };
    const session = await plan.start(surroundings);
    try {
      return await measured(config, session, device === 'cpu' ? engine.device : device);
    } finally {
      await session.dispose();
    }
  } finally {
    await engine.dispose();
  }
}

async function measured(
  { iterations, record }: Exclude<Config, DistillConfig>,
  session: TrainingSession,
  device: string,
): Promise<TeachPlan> {
  const { trainer } = session;
  const recording = await secondsOf(() => session.record(0));
  await trainer.advance();
  const times: number[] = [];
  for (let i = 0; i < timed; i++) times.push(await secondsOf(() => trainer.advance()));
  const secondsPerUpdate = times.sort((a, b) => a - b)[Math.floor(timed / 2)]!;
  const every = 'samplesEvery' in record ? record.samplesEvery : record.measureEvery;
  const recordingPerUpdate = every > 0 ? recording / every : 0;
  return {
    device,
    memory: { total: process.memoryUsage.rss() },
    imagesPerUpdate: trainer.imagesPerStep,
    secondsPerUpdate,
    recordingPerUpdate,
    seconds: iterations * (secondsPerUpdate + recordingPerUpdate),
  };
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
