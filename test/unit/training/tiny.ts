/** Trainings that take milliseconds per iteration: an 8 x 8 network with random weights, in a folder of their own. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Disk } from '../../../backend/files/disk.ts';
import { unpackParameters } from '../../../backend/graph/parameters.ts';
import { writeModel } from '../../../backend/models/write-model.ts';
import { createNetwork } from '../../../backend/nets/index.ts';
import { type Config, parseConfig } from '../../../backend/protocol/config/index.ts';
import type { RunMessage } from '../../../backend/protocol/run-messages.ts';
import { stream } from '../../../backend/random/stream.ts';
import { readHistory } from '../../../backend/runs/events/history.ts';
import { runPaths } from '../../../backend/runs/folder/run-folder.ts';
import { RunControl } from '../../../backend/runs/loop/control.ts';
import type { RunRequest } from '../../../backend/runs/loop/open.ts';
import { trainingRun } from '../../../backend/runs/loop/training-run.ts';
import { uniform } from '../../random.ts';

export const labelDim = 3;

export const tinyNetwork = {
  img_resolution: 8,
  img_channels: 3,
  label_dim: labelDim,
  model_type: 'SongUNet',
  model_channels: 8,
  channel_mult: [1],
  num_blocks: 1,
  attn_resolutions: [],
  dropout: 0,
};

export function scratch(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-training-'));
}

/** A teacher file whose weights are all drawn anew. */
export async function tinyTeacher(folder: string, change: object = {}): Promise<string> {
  const network = createNetwork({ ...tinyNetwork, ...change });
  const { layout } = network;
  const random = stream(uniform(), 'tiny teacher').randn(layout.size);
  const weights = unpackParameters(
    layout,
    random.map((value) => 0.1 * value),
  );
  const file = path.join(folder, 'teacher.safetensors');
  await writeModel(file, network.config, weights, {}, false);
  return file;
}

type Json = { [key: string]: unknown };

/** Lays `change` over `base`, object by object. */
function merged(base: Json, change: Json): Json {
  const out = { ...base };
  for (const [key, value] of Object.entries(change)) {
    const inner = typeof value === 'object' && value !== null && !Array.isArray(value);
    out[key] = inner ? merged((out[key] ?? {}) as Json, value as Json) : value;
  }
  return out;
}

const quiet = { samplesEvery: 0, fieldsEvery: 0, probeEvery: 0, histogramsEvery: 0, healthEvery: 0 };

export function distillConfig(teacher: string, change: Json = {}): Config {
  const base = {
    kind: 'distill',
    name: 'tiny',
    seed: 11,
    device: 'cpu',
    threads: 1,
    teacher,
    iterations: 6,
    batch: 2,
    generator: { lr: 1e-3, warmup: 3, ema: 0.9 },
    fake: { lr: 2e-3, warmup: 2 },
    regression: { pairs: { count: 6, steps: 2 } },
    record: quiet,
    checkpoint: { every: 0 },
  };
  return parseConfig(JSON.stringify(merged(base, change)), 'tiny');
}

export function teachConfig(change: Json = {}): Config {
  const base = {
    kind: 'teach',
    name: 'tiny',
    seed: 12,
    device: 'cpu',
    threads: 1,
    network: { ...tinyNetwork, label_dim: 10 },
    iterations: 6,
    batch: 2,
    optimizer: { warmup: 2, decay: 'cosine' },
    record: { samplesEvery: 0, histogramsEvery: 0 },
    checkpoint: { every: 0 },
  };
  return parseConfig(JSON.stringify(merged(base, change)), 'tiny');
}

export interface RunOptions {
  readonly set?: readonly string[];
  readonly until?: number;
  readonly disk?: Disk;
  readonly onMessage?: (message: RunMessage, control: RunControl) => void;
}

export interface RunResult {
  readonly folder: string;
  readonly messages: RunMessage[];
  readonly last: RunMessage;
  /** The recorded numbers of every step that this process computed, without clocks and memory. */
  readonly scalars: Map<number, Record<string, number>>;
}

/** Runs in this thread. */
export async function runHere(start: RunRequest['start'], options: RunOptions = {}): Promise<RunResult> {
  const { set = [], until, disk, onMessage } = options;
  const control = new RunControl();
  const messages: RunMessage[] = [];
  const request = { start, set, half: false, ...(until === undefined ? {} : { until }) };
  const listen = (message: RunMessage) => {
    messages.push(message);
    onMessage?.(message, control);
  };
  await trainingRun(request, control, listen, disk);
  const last = messages.at(-1)!;
  const opened = messages.find((message) => message.type === 'opened');
  const scalars = new Map<number, Record<string, number>>();
  for (const message of messages) if (message.type === 'step') scalars.set(message.step, lasting(message.scalars));
  return { folder: opened?.type === 'opened' ? opened.folder : '', messages, last, scalars };
}

function lasting(scalars: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(scalars).filter(([tag]) => !/^(speed|memory)\//.test(tag)));
}

/** The curves of a run folder as a viewer sees them: tag -> [step, value], without clocks and memory. */
export function curves(folder: string): Map<string, [number, number][]> {
  const { history, warnings } = readHistory(runPaths(folder).events);
  if (warnings.length > 0) throw new Error(warnings.join('\n'));
  const tags = history.tags('scalar').filter((tag) => !/^(speed|memory)\//.test(tag));
  return new Map(tags.map((tag) => [tag, history.points('scalar', tag).map(({ step, value }) => [step, value.value])]));
}

/** Every file of a checkpoint, byte by byte, but for the manifest with its time. */
export function stateBytes(folder: string, step: number): Record<string, string> {
  const checkpoint = path.join(runPaths(folder).checkpoints, `step-${String(step).padStart(8, '0')}`);
  const names = fs.readdirSync(checkpoint).filter((name) => name !== 'manifest.json');
  return Object.fromEntries(
    names.sort().map((name) => [name, fs.readFileSync(path.join(checkpoint, name)).toString('hex')]),
  );
}
