/**
 * A network of 150 million parameters, of the size of CIFAR-10's largest and beyond what one of Node's buffers can hold of its state: it
 * trains, checkpoints, is killed and goes on with the same bits. Takes minutes and up to 22 GB of memory, so it runs
 * only when it is named: `npm test -- test/large`.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createNetwork } from '../../backend/nets/index.ts';
import type { Config } from '../../backend/protocol/config/index.ts';
import { readRun, runPaths } from '../../backend/runs/folder/run-folder.ts';
import { sourceLoader } from '../loader.ts';
import { distillConfig, teachConfig, tinyNetwork, tinyTeacher } from '../unit/training/tiny.ts';

const large = { model_channels: 384, channel_mult: [2], num_blocks: 4 };
const size = createNetwork({ ...tinyNetwork, ...large }).layout.size;
assert.ok(size > 150e6, `${size} parameters`);

const shared = { iterations: 3, batch: 1, threads: 2, checkpoint: { every: 2, keep: 1 } };

/** What is trained, and the memory that it takes as measured, in GB. */
const kinds: readonly [what: string, gigabytes: number, config: (root: string) => Promise<Config>][] = [
  ['one network is taught', 12, async () => teachConfig({ ...shared, network: { ...large } })],
  [
    'generator and fake score of a distillation',
    22,
    async (root) => {
      const networks = { generator: { ema: 0 }, regression: { enabled: false } };
      return distillConfig(await tinyTeacher(root, large), { ...shared, ...networks });
    },
  ],
];

for (const [what, gigabytes, configOf] of kinds) {
  test(`150 million parameters train, checkpoint, are killed, and resume bit for bit: ${what}`, async (t) => {
    if (os.freemem() < gigabytes * 1e9) return t.skip(`needs ${gigabytes} GB of free memory`);
    const root = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-large-network-'));
    t.after(() => fs.rmSync(root, { recursive: true, force: true }));
    const config = await configOf(root);
    const whole = await run({ config, root: path.join(root, 'whole') }, 0);
    const expected = manifest(whole, 3);
    fs.rmSync(whole, { recursive: true });

    const killed = await run({ config, root: path.join(root, 'killed') }, 3);
    assert.equal(readRun(killed).state, 'interrupted');
    assert.ok(manifest(killed, 2), 'the checkpoint before the kill is there');
    assert.equal(await run({ folder: killed }, 0), killed);
    assert.equal(readRun(killed).state, 'finished');
    assert.deepEqual(manifest(killed, 3), expected);
  });
}

/** Sizes and hashes of a checkpoint's files. */
function manifest(folder: string, step: number): unknown {
  const file = path.join(runPaths(folder).checkpoints, `step-0000000${step}`, 'manifest.json');
  const { files } = JSON.parse(fs.readFileSync(file, 'utf8'));
  assert.ok(Object.keys(files).length > 0);
  return files;
}

/** In a process of its own. @param killAt the step after which it is killed; 0 never. @returns the run's folder */
async function run(start: object, killAt: number): Promise<string> {
  const script = fileURLToPath(new URL('../unit/training/killed-run.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', sourceLoader, script, JSON.stringify(start), String(killAt)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
    if (output.includes('reached')) child.kill('SIGKILL');
  });
  const [code, signal] = await once(child, 'close');
  assert.equal(signal ?? code, killAt > 0 ? 'SIGKILL' : 0, output);
  return /folder (.*)/.exec(output)![1]!;
}
