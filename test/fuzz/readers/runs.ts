/** Run folders and what is in them: event files, checkpoints, recorded fields. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tensorData } from '../../../backend/graph/tensor-data.ts';
import { parseConfig } from '../../../backend/protocol/config/index.ts';
import { UserError } from '../../../backend/protocol/errors.ts';
import { listCheckpoints, pruneCheckpoints } from '../../../backend/runs/checkpoints/checkpoint-list.ts';
import { encodeManifest } from '../../../backend/runs/checkpoints/checkpoint-manifest.ts';
import { loadLatest, saveCheckpoint } from '../../../backend/runs/checkpoints/checkpoints.ts';
import { encodeEvent, type SummaryValue } from '../../../backend/runs/events/proto.ts';
import { encodeRecord } from '../../../backend/runs/events/record.ts';
import { listFields, readFields } from '../../../backend/runs/fields/fields.ts';
import { readAnnotations } from '../../../backend/runs/folder/annotations.ts';
import { lineageOf } from '../../../backend/runs/folder/lineage.ts';
import { acquireLock } from '../../../backend/runs/folder/lock.ts';
import {
  createRun,
  listRuns,
  readConfig,
  readRun,
  resumeRun,
  runPaths,
} from '../../../backend/runs/folder/run-folder.ts';
import { examine } from '../../../backend/runs/health.ts';
import { RunHistory } from '../../../backend/server/runs/history.ts';
import { overviewOf } from '../../../backend/server/runs/reading.ts';
import { sourceOf } from '../../../backend/weights/array-source.ts';
import { encodeTensors } from '../../../backend/weights/tensor-file.ts';
import type { Dice } from '../dice.ts';
import { readFiles } from '../files.ts';
import { damaged } from '../make/bytes.ts';
import { worseJsonText } from '../make/json.ts';
import { anyMessage } from '../make/proto.ts';
import { once, ours, type Reader } from '../reader.ts';
import { presets, readableJson } from './configs.ts';
import { all } from './together.ts';

const eventFile = 'events.out.tfevents.1000000001.host.1';

/** Fields of Event, Summary and what is in them. */
const fields = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const steps = [0, 1, 2, 3, 1000, 2 ** 31, 2 ** 53, -1];

export function eventBytes(dice: Dice): Buffer {
  const value = (): SummaryValue => {
    const tag = dice.of(['loss', 'a/b', '', '__proto__', 'x'.repeat(dice.size(300)), `t${dice.below(1e6)}`]);
    if (dice.chance(0.8)) return { kind: 'scalar', tag, value: dice.of([1, Number.NaN, Number.POSITIVE_INFINITY, -0]) };
    if (dice.chance(0.5)) return { kind: 'text', tag, text: 'x' };
    return { kind: 'image', tag, width: 1, height: 1, png: dice.bytes(9) };
  };
  const event = (count: number) =>
    encodeEvent({
      wallTime: dice.size(1e9),
      step: dice.of(steps),
      fileVersion: '',
      restart: dice.chance(0.2),
      values: Array.from({ length: count }, value),
    });
  const records = Array.from({ length: 1 + dice.size(8) }, () =>
    encodeRecord(dice.chance(0.4) ? anyMessage(dice, fields) : event(1 + dice.size(4))),
  );
  if (dice.chance(0.02)) records.push(encodeRecord(event(dice.size(60_000))));
  if (dice.chance(0.02))
    records.push(
      ...Array.from({ length: dice.size(20_000) }, (_, i) =>
        encodeRecord(
          encodeEvent({
            wallTime: i,
            step: dice.below(30_000),
            fileVersion: '',
            restart: dice.chance(0.3),
            values: [{ kind: 'scalar', tag: `t${dice.below(5000)}`, value: i }],
          }),
        ),
      ),
    );
  const file = Buffer.concat(records);
  return dice.chance(0.3) ? damaged(file, dice) : file;
}

async function readEvents(folder: string): Promise<void> {
  const history = new RunHistory(folder);
  await history.advance();
  for (const tag of history.tags().slice(0, 5)) history.curve(tag);
}

export const events: Reader = {
  name: 'events',
  read: (folder) =>
    all(
      () => readEvents(folder),
      () => examine(folder),
    ),
  make: (dice) => ({ [`events/${eventFile}`]: eventBytes(dice) }),
};

/** As a run leaves it: a checkpoint, a recorded field, an event file. */
const runFiles = () => once('run', () => wholeRun());
let waiting: Promise<void> | undefined;
let made: Record<string, Uint8Array> = {};

function wholeRun(): Record<string, Uint8Array> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-fuzz-'));
  const text = ours(presets[0]!).toString('utf8');
  const run = createRun(root, parseConfig(text, 'x'), { version: '0', device: 'cpu', threads: 1 });
  run.update({
    state: 'stopped',
    error: { message: 'a', hint: 'b' },
    failures: [{ message: 'a', hint: 'b', step: 1, at: 'x' }],
  });
  run.close();
  const { folder } = run.paths;
  const tensors = new Map([['mu', tensorData([2, 2], Float32Array.of(1, 2, 3, 4))]]);
  fs.mkdirSync(path.join(folder, 'fields/probe'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'fields/probe/step-00000001.safetensors'), encodeTensors(tensors, { step: '1' }));
  const batch = Object.fromEntries(
    ['x', 'muReal', 'muFake', 'grad'].map((name) => [name, tensorData([2, 2], Float32Array.of(1, 2, 3, 4))]),
  );
  const training = new Map(Object.entries({ ...batch, sigma: tensorData([2], Float32Array.of(1, 2)) }));
  fs.mkdirSync(path.join(folder, 'fields/training'), { recursive: true });
  fs.writeFileSync(
    path.join(folder, 'fields/training/step-00000001.safetensors'),
    encodeTensors(training, { step: '1' }),
  );
  fs.writeFileSync(path.join(folder, 'about.json'), JSON.stringify({ name: 'mine', tags: ['a'] }));
  fs.writeFileSync(path.join(folder, 'run.log'), 'a line\n');
  const lock = {
    pid: 999_999,
    host: 'nowhere',
    birth: 'x',
    since: new Date(0).toISOString(),
    contact: '/tmp/none.sock',
  };
  fs.writeFileSync(path.join(folder, 'run.lock'), JSON.stringify(lock));
  const files = readFiles(folder);
  fs.rmSync(root, { recursive: true });
  return files;
}

/** Waits for what a reader needs; asked before the first input. */
export async function prepareRuns(): Promise<void> {
  waiting ??= (async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-fuzz-'));
    const student = new Map([['w', sourceOf(tensorData([2], Float32Array.of(1, 2)))]]);
    await saveCheckpoint(folder, 1, { files: new Map([['student', student]]), json: { step: 1, draws: [1, 2] } });
    made = readFiles(folder);
    fs.rmSync(folder, { recursive: true });
  })();
  await waiting;
}

export function runFolder(dice: Dice): Record<string, Uint8Array | string> {
  const files: Record<string, Uint8Array | string> = { ...runFiles() };
  for (const [name, bytes] of Object.entries(made)) files[`checkpoints/${name}`] = bytes;
  files[`events/${eventFile}`] = dice.chance(0.5) ? eventBytes(dice) : Buffer.alloc(0);
  const names = Object.keys(files);
  for (let times = 1 + dice.below(3); times > 0; times--) {
    const name = dice.of(names);
    const before = Buffer.from(files[name]!);
    const isJson = name.endsWith('json') || name === 'run.lock';
    if (dice.chance(0.03)) delete files[name];
    else
      files[name] =
        isJson && before.length > 0 ? readableJson(before.toString('utf8'), dice) : damaged(before, dice, 2000);
    if (name.endsWith('manifest.json') && dice.chance(0.8)) files[name] = signed(String(files[name]));
    names.splice(names.indexOf(name), 1);
  }
  return files;
}

/** A manifest with a hash of itself that is right, whatever else it says. */
function signed(text: string): string {
  try {
    const { sha256: _, ...manifest } = JSON.parse(text);
    return encodeManifest(manifest);
  } catch {
    return text;
  }
}

export const runs: Reader = {
  name: 'run',
  async read(folder) {
    const paths = runPaths(folder);
    const setup = { version: '0', device: 'cpu', threads: 1 };
    await all(
      () => readRun(folder),
      () => readConfig(paths),
      () => readAnnotations(folder),
      () => listRuns(path.dirname(folder)),
      () => lineageOf(path.join(folder, 'generator.safetensors'), {}),
      () => readEvents(folder),
      () => examine(folder),
      async () => overviewOf(paths, new RunHistory(folder), undefined),
      () => readFields(paths.fields, 'probe', listFields(paths.fields, 'probe')[0]?.step ?? 0),
      () => acquireLock(folder).release(),
      () => resumeRun(folder, setup).close(),
    );
  },
  make: runFolder,
};

export const checkpoints: Reader = {
  name: 'checkpoint',
  async read(folder) {
    await all(
      async () => {
        const { checkpoint, warnings } = await loadLatest(`${folder}/checkpoints`);
        if (!checkpoint) throw new UserError('data', warnings.join());
        for (const stored of checkpoint.files.values()) for (const name of stored.names) await stored.read(name, 0, 1);
      },
      () => listCheckpoints(`${folder}/checkpoints`),
      () => pruneCheckpoints(`${folder}/checkpoints`, { keep: 1, keepEvery: 0 }),
    );
  },
  make(dice) {
    const files: Record<string, Uint8Array | string> = {};
    for (const [name, bytes] of Object.entries(made)) files[`checkpoints/${name}`] = bytes;
    const name = dice.of(Object.keys(files));
    files[name] = name.endsWith('.json')
      ? worseJsonText(Buffer.from(files[name]!).toString(), dice)
      : damaged(files[name]!, dice, 400);
    if (name.endsWith('manifest.json') && dice.chance(0.8)) files[name] = signed(String(files[name]));
    return files;
  },
};
