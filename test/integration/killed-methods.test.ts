/** The methods beside DMD and DMD2, killed in the middle and resumed by the built command: the bits of a run that was left alone. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch, stateBytes, tinyTeacher } from '../unit/training/tiny.ts';

const dmd = fileURLToPath(new URL('../../dist/dmd.js', import.meta.url));
const iterations = 6;

/** @param until text after which the process is killed */
async function run(cwd: string, args: readonly string[], until?: RegExp) {
  const child = spawn(process.execPath, [dmd, ...args, '--json'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
    if (until?.test(stdout)) child.kill('SIGKILL');
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const [code, signal] = await once(child, 'close');
  return { code, signal, stdout, stderr };
}

function folderIn(root: string): string {
  const [name] = fs.readdirSync(path.join(root, 'runs'));
  return path.join(root, 'runs', name!);
}

const textTeacher = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));

const methods = {
  'diff-instruct': { fake: { lr: 1e-3, updatesPerStep: 2 } },
  progressive: { stages: { steps: [4, 2, 1], iterations: 2 } },
  consistency: { levels: { count: 5 }, steps: { at: [2] } },
  lcm: {
    ...{ teacher: textTeacher, text: { prompts: 'scenes', count: 6 }, data: { fit: 'resize' } },
    ...{ guidance: [2, 9], steps: { at: [499] }, record: { samplesEvery: 0, healthEvery: 0, probeEvery: 0 } },
  },
};

for (const [method, keys] of Object.entries(methods)) {
  test(`${method}: killed after an iteration, resumed, and sampled`, async (t) => {
    const root = scratch();
    t.after(() => fs.rmSync(root, { recursive: true }));
    const teacher = await tinyTeacher(root, { label_dim: 10 });
    const config = {
      ...{ kind: 'distill', method, seed: 3, device: 'cpu', threads: 1, teacher, iterations, batch: 2 },
      ...{ generator: { lr: 1e-3, ema: 0.9 }, checkpoint: { every: 1, keep: iterations } },
      record: { samplesEvery: 2, samples: 2, fieldsEvery: 0, histogramsEvery: 0, healthEvery: 0 },
      ...keys,
    };
    const folders = await Promise.all(
      ['alone', 'killed'].map(async (name) => {
        const folder = path.join(root, name);
        fs.mkdirSync(folder);
        fs.writeFileSync(path.join(folder, 'a.dmd.json'), JSON.stringify(config));
        const { code, signal, stdout, stderr } = await run(
          folder,
          ['distill', 'a.dmd.json'],
          name === 'killed' ? /"event":"step","step":3\b/ : undefined,
        );
        if (name === 'alone') assert.equal(code, 0, stdout + stderr);
        else assert.equal(signal, 'SIGKILL', stdout + stderr);
        return folderIn(folder);
      }),
    );
    const [alone, killed] = folders as [string, string];
    const { code, stdout, stderr } = await run(root, ['distill', '--resume', killed]);
    assert.equal(code, 0, stdout + stderr);
    const from = Number(/"event":"opened".*?"step":(\d+)/.exec(stdout)?.[1]);
    assert.ok(from >= 2 && from < iterations, `resumed after step ${from}`);
    assert.deepEqual(stateBytes(killed, iterations), stateBytes(alone, iterations));
    const model = path.join(killed, method === 'lcm' ? 'generator' : 'generator.safetensors');
    const prompt = method === 'lcm' ? ['--prompt', 'a red circle'] : [];
    const drawn = ['--seeds', '1-2', '--out', 'pictures', '--device', 'cpu'];
    const sampled = await run(root, ['sample', model, ...prompt, ...drawn]);
    assert.equal(sampled.code, 0, sampled.stdout + sampled.stderr);
    assert.ok(fs.existsSync(path.join(root, 'pictures', 'grid.png')));
  });
}
