/** A run that finds other content than it had: refused, and taken when it is said so. For tests of every kind of run. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Config } from '../../../backend/protocol/config/index.ts';
import { readRun } from '../../../backend/runs/folder/run-folder.ts';
import { runHere } from './tiny.ts';

/** One bit of a number in the middle of a weights file. */
export function bite(file: string): void {
  const bytes = fs.readFileSync(file);
  bytes[bytes.length - 4 * Math.floor(bytes.length / 16)]! ^= 1;
  fs.writeFileSync(file, bytes);
}

export function edit(file: string, change: (text: string) => string): void {
  const before = fs.readFileSync(file, 'utf8');
  const after = change(before);
  assert.notEqual(after, before);
  fs.writeFileSync(file, after);
}

export const scaled = (name: string) => (text: string) => text.replace(new RegExp(`("${name}": [\\d.]+)`), '$17');

function contents(folder: string): Record<string, string> {
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => path.join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((file) => [file, fs.readFileSync(file).toString('base64')]));
}

export interface Change {
  /** Of the input, as the message says it. */
  readonly key: string;
  /** That the message names. */
  readonly file: string;
  readonly change: () => unknown;
  readonly kind?: 'data' | 'weights';
}

/** Words of the command that a hint ends with, as a shell takes them. */
export function wordsOf(hint: string): string[] {
  const [command] = /dmd .*$/s.exec(hint) ?? assert.fail(hint);
  return execFileSync('sh', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
}

/**
 * One run, stopped after each iteration; after the first a change, after the second the next.
 * @returns its folder
 */
export async function refusedThenTaken(root: string, asked: Config, changes: readonly Change[]): Promise<string> {
  const config = { ...asked, iterations: changes.length + 2 };
  const { folder, last } = await runHere({ config, root }, { until: 1 });
  assert.ok(last.type === 'ended' && last.state === 'stopped', JSON.stringify(last));
  let step = 1;
  for (const change of changes) {
    const set = await refused(folder, change);
    const { key, file } = change;
    const known = readRun(folder).info!.inputs[key];
    const taken = await runHere({ folder }, { set, until: step + 1 });
    assert.ok(taken.last.type === 'ended', JSON.stringify(taken.last));
    const note = taken.messages.find(
      ({ type, ...rest }) => type === 'note' && `${'text' in rest && rest.text}`.startsWith(`${key}: ${file} `),
    );
    assert.ok(note, 'the run says so');
    const { changes: noted, inputs } = readRun(folder).info!;
    const entry = noted.filter((one) => one.key === key).at(-1);
    assert.deepEqual([entry?.step, entry?.before, entry?.after], [step, known, inputs[key]]);
    assert.notEqual(inputs[key]!.sha256, known!.sha256);
    step += 1;
  }
  const count = readRun(folder).info!.changes.length;
  const again = await runHere({ folder });
  assert.ok(again.last.type === 'ended' && again.last.state === 'finished', JSON.stringify(again.last));
  assert.equal(readRun(folder).info!.changes.length, count, 'once');
  return folder;
}

/** Changes of a run that stopped, each refused and then put back. */
export async function refusedAndPutBack(folder: string, changes: readonly Change[]): Promise<void> {
  for (const change of changes) {
    const copy = `${change.file}.before`;
    fs.cpSync(change.file, copy, { recursive: true });
    await refused(folder, change);
    fs.rmSync(change.file, { recursive: true });
    fs.renameSync(copy, change.file);
  }
}

/** @returns the changes that the refusal says how to go on with */
async function refused(folder: string, { key, file, change, kind = 'weights' }: Change): Promise<string[]> {
  const known = readRun(folder).info!;
  assert.match(known.inputs[key]?.sha256 ?? '', /^[0-9a-f]{64}$/, `${key} is recorded`);
  await change();
  const before = contents(folder);
  const { last } = await runHere({ folder });
  assert.ok(last.type === 'failed', `${key}: ${JSON.stringify(last)}`);
  const { error } = last;
  assert.equal(error.kind, kind, error.stack);
  assert.ok(error.message.startsWith(`${file} is not the ${key} that the run began with`), error.message);
  assert.ok(error.message.includes(path.basename(folder)), error.message);
  assert.deepEqual(contents(folder), before, 'nothing is written');
  const [dmd, command, resume, named, ...set] = wordsOf(error.hint);
  const expected = ['dmd', known.kind === 'distill' ? 'distill' : 'teach', '--resume', folder];
  assert.deepEqual([dmd, command, resume, named], expected);
  const assignments = set.filter((_, i) => i % 2 === 1);
  assert.deepEqual(
    set,
    assignments.flatMap((assignment) => ['--set', assignment]),
  );
  return assignments;
}
