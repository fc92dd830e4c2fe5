/**
 * What a distillation will need on a device, found out before it is begun: the very iterations of the run on random weights and
 * random data, timed. Where the whole thing would not fit, or would take too long to try, the same with a smaller network,
 * scaled by operations and bytes read off the graphs.
 */
import { freemem } from 'node:os';
import { openEngine } from '../../engine/devices.ts';
import type { DryRun, OpenRecorded, Recorded } from '../../methods/common/dry-run.ts';
import { methodOf } from '../../methods/index.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';

export interface Plan {
  readonly device: string;
  /** Whether the config's own size was tried; otherwise a smaller one, and the numbers are scaled. */
  readonly tried: boolean;
  readonly parameters: DryRun['parameters'];
  /** Of the whole process, in bytes, and what it consists of. */
  readonly memory: {
    readonly total: number;
    readonly weights: number;
    readonly activations: number;
    /** Of the probe and sample pictures. */
    readonly recording: number;
  };
  readonly imagesPerUpdate: number;
  /** Without recording. */
  readonly secondsPerUpdate: number;
  /** Of an update's share of the probe and sample pictures. */
  readonly recordingPerUpdate: number;
  /** Operations of an update, forward and backward. */
  readonly flopsPerUpdate: number;
  readonly pairs: { readonly count: number; readonly seconds: number; readonly flopsPerPair: number } | null;
  /** Pairs, all updates and their recording. */
  readonly seconds: number;
}

/** What may be tried: memory that is free, and operations that take a few seconds. */
const shareOfMemory = 0.5;
const mostFlops = 5e11;
/** A run computes in a thread of its own, which loads this program once more, and holds the text encoder: 40 to 60 MB as measured. */
const threadBytes = 45e6;
/** Updates after the first; the median counts. */
const timed = 5;

/** Throws UserError for what the run itself would refuse. */
export async function planDistillation(config: DistillConfig): Promise<Plan> {
  const { engine } = await openEngine({ device: config.device, threads: config.threads });
  try {
    const limits = { bytes: freemem() * shareOfMemory, flops: mostFlops };
    const base = process.memoryUsage.rss();
    const dry = await methodOf(config).dryRun(engine, config, limits);
    const { trainer, whole, part, pairs } = dry;
    const times: number[] = [];
    await trainer.advance();
    for (let i = 0; i < timed; i++) {
      const start = performance.now();
      await trainer.advance();
      times.push((performance.now() - start) / 1000);
    }
    const resident = process.memoryUsage.rss();
    const recording = await measureRecorded(dry.recorded);
    await trainer.dispose();
    return assemble(
      config,
      engine.device,
      { dry, base, resident, seconds: median(times), recording },
      { whole, part, pairs },
    );
  } finally {
    await engine.dispose();
  }
}

interface Measured {
  readonly dry: DryRun;
  readonly base: number;
  readonly resident: number;
  /** Of one micro-batch as it was tried. */
  readonly seconds: number;
  readonly recording: Recording;
}

interface Recording {
  readonly bytes: number;
  readonly secondsPerUpdate: number;
}

/** The second time of each counts, and the memory that all of them keep. */
async function measureRecorded(recorded: readonly Recorded[]): Promise<Recording> {
  const open: OpenRecorded[] = [];
  let [bytes, secondsPerUpdate] = [0, 0];
  try {
    for (const { every, scale, bytes: estimated, open: opening } of recorded) {
      const base = process.memoryUsage.rss();
      const opened = await opening();
      open.push(opened);
      await opened.take();
      const start = performance.now();
      await opened.take();
      secondsPerUpdate += (scale * (performance.now() - start)) / 1000 / every;
      bytes += estimated ?? Math.max(process.memoryUsage.rss() - base, 0);
    }
  } finally {
    for (const opened of open) await opened.dispose();
  }
  return { bytes, secondsPerUpdate };
}

function assemble(
  { accumulation, iterations }: DistillConfig,
  device: string,
  { dry, base, resident, seconds, recording }: Measured,
  { whole, part, pairs }: Pick<DryRun, 'whole' | 'part' | 'pairs'>,
): Plan {
  const tried = whole === part;
  const activationsTried = Math.max(resident - base - part.weightBytes, 0);
  const activations = tried ? activationsTried : activationsTried * (whole.peakBytes / part.peakBytes);
  const training = tried ? resident : base + whole.weightBytes + activations;
  const microSeconds = seconds * (whole.flops / part.flops);
  const secondsPerUpdate = microSeconds * accumulation;
  const pairSeconds = pairs && pairs.count * pairs.flopsPerPair * (microSeconds / whole.flops);
  return {
    device,
    tried,
    parameters: dry.parameters,
    memory: {
      ...{ total: threadBytes + training + recording.bytes, weights: whole.weightBytes },
      ...{ activations, recording: recording.bytes },
    },
    imagesPerUpdate: dry.imagesPerMicro * accumulation,
    secondsPerUpdate,
    recordingPerUpdate: recording.secondsPerUpdate,
    flopsPerUpdate: whole.flops * accumulation,
    pairs: pairs && { ...pairs, seconds: pairSeconds! },
    seconds: (pairSeconds ?? 0) + (secondsPerUpdate + recording.secondsPerUpdate) * iterations,
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
