/** A run that is stopped, killed or damaged goes on as if nothing had been: every number, to the bit. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readConfig, readRun, runPaths } from '../../backend/runs/folder/run-folder.ts';
import { sourceLoader } from '../loader.ts';
import { curves, distillConfig, runHere, scratch, stateBytes, teachConfig, tinyTeacher } from './training/tiny.ts';

test('distilling: n steps equal k, a stop, a resume, n - k, bit for bit', async () => {
  const root = scratch();
  const config = distillConfig(await tinyTeacher(root), {
    batch: 2,
    accumulation: 2,
    fake: { updatesPerStep: 2 },
    schedules: {
      lambda: [
        [1, 0.1],
        [6, 0.6],
      ],
      minStep: [
        [1, 10],
        [6, 300],
      ],
    },
  });
  const whole = await runHere({ config, root });
  assert.equal(whole.last.type, 'ended');
  const first = await runHere(
    { config, root },
    { onMessage: (message, control) => message.type === 'step' && message.step === 3 && control.stop() },
  );
  assert.ok(first.last.type === 'ended' && first.last.state === 'stopped' && first.last.step === 3);
  assert.equal(readRun(first.folder).state, 'stopped');
  const second = await runHere({ folder: first.folder });
  assert.ok(second.last.type === 'ended' && second.last.state === 'finished');
  assert.deepEqual([...second.scalars.keys()], [4, 5, 6]);

  assert.deepEqual(stateBytes(first.folder, 6), stateBytes(whole.folder, 6));
  assert.deepEqual(curves(first.folder), curves(whole.folder));
  assert.deepEqual(weightsOf(first.folder), weightsOf(whole.folder));
  const lossMatching = whole.scalars.get(6)!['loss/matching'];
  assert.ok(lossMatching > 0, 'the networks have moved apart');
  assert.notDeepEqual(
    stateBytes(first.folder, 3)['generator.safetensors'],
    stateBytes(first.folder, 6)['generator.safetensors'],
  );
});

function weightsOf(folder: string): string {
  return fs.readFileSync(path.join(folder, 'generator.safetensors')).toString('hex');
}

test('teaching: n steps equal k and n - k, and a checkpoint damaged since is named and passed over', async () => {
  const root = scratch();
  const config = teachConfig({ checkpoint: { every: 2, keep: 5 } });
  const whole = await runHere({ config, root });
  const first = await runHere({ config, root }, { until: 5 });
  assert.ok(first.last.type === 'ended' && first.last.state === 'stopped' && first.last.step === 5);

  const damaged = path.join(runPaths(first.folder).checkpoints, 'step-00000005', 'teacher.safetensors');
  const bytes = fs.readFileSync(damaged);
  bytes[bytes.length - 5] ^= 0x10;
  fs.writeFileSync(damaged, bytes);
  const second = await runHere({ folder: first.folder });
  const warning = second.messages.find((message) => message.type === 'note' && message.level === 'warning');
  assert.ok(warning?.type === 'note' && /step-00000005 is damaged.*teacher\.safetensors/.test(warning.text), 'named');
  assert.deepEqual([...second.scalars.keys()], [5, 6], 'it goes on from step 4');
  assert.deepEqual(stateBytes(first.folder, 6), stateBytes(whole.folder, 6));
  assert.deepEqual(curves(first.folder), curves(whole.folder));
});

test('after kill -9 nothing before the last checkpoint is lost, and what came after it is computed again', async () => {
  const root = scratch();
  const config = distillConfig(await tinyTeacher(root), { checkpoint: { every: 2 }, iterations: 6 });
  const whole = await runHere({ config, root });
  const killed = await killAfter({ config, root: path.join(root, 'killed') }, 5);
  assert.equal(readRun(killed).state, 'interrupted');
  const steps = curves(killed)
    .get('loss/fake')!
    .map(([step]) => step);
  assert.ok(steps.includes(5), 'the killed process had recorded step 5');

  const second = await runHere({ folder: killed });
  assert.ok(second.last.type === 'ended' && second.last.state === 'finished', JSON.stringify(second.last));
  assert.deepEqual([...second.scalars.keys()], [5, 6]);
  assert.deepEqual(curves(killed), curves(whole.folder));
  assert.deepEqual(stateBytes(killed, 6), stateBytes(whole.folder, 6));
});

/** Runs in a process of its own that is killed once it has recorded a step; returns the run's folder. */
async function killAfter(start: object, step: number): Promise<string> {
  const script = fileURLToPath(new URL('./training/killed-run.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', sourceLoader, script, JSON.stringify(start), String(step)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
    if (output.includes('reached')) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  assert.equal(signal, 'SIGKILL', output);
  return /folder (.*)/.exec(output)![1];
}

test('a resumed run takes changes, notes since when they hold, and refuses those that would make it another run', async () => {
  const root = scratch();
  const config = distillConfig(await tinyTeacher(root));
  const first = await runHere({ config, root }, { until: 2 });
  const start = { folder: first.folder };
  const refused = await runHere(start, { set: ['seed=3'] });
  assert.ok(refused.last.type === 'failed' && refused.last.error.kind === 'config');
  assert.match(refused.last.error.message, /seed cannot change/);
  assert.equal(readConfig(runPaths(first.folder)).seed, 11);

  const changes = ['regression.lambda=0.75', 'generator.lr=0', 'iterations=4', 'matching.maxStep=500'];
  const second = await runHere(start, { set: changes });
  assert.ok(second.last.type === 'ended' && second.last.state === 'finished' && second.last.step === 4);
  assert.equal(second.scalars.get(3)!.lambda, 0.75);
  assert.equal(second.scalars.get(3)!['rate/generator'], 0);
  assert.equal(second.scalars.get(4)!['level/last'], 500);
  const history = fs.readdirSync(first.folder).filter((name) => name.startsWith('config.until-'));
  assert.deepEqual(history, ['config.until-00000002.dmd.json']);
  const now = readConfig(runPaths(first.folder));
  assert.ok(now.kind === 'distill' && now.regression.lambda === 0.75);
});

test('a teacher that is another file by now is refused by name; the same one may lie elsewhere', async () => {
  const root = scratch();
  const teacher = await tinyTeacher(root);
  const first = await runHere({ config: distillConfig(teacher, { iterations: 2 }), root }, { until: 1 });
  const moved = path.join(root, 'moved.safetensors');
  fs.renameSync(teacher, moved);
  await tinyTeacher(root);
  const start = { folder: first.folder };
  const refused = await runHere(start);
  assert.ok(refused.last.type === 'failed' && refused.last.error.kind === 'weights');
  assert.match(refused.last.error.message, /teacher\.safetensors is not the teacher that the run began with/);
  assert.equal(readRun(first.folder).state, 'stopped', 'the run is as it was');
  const second = await runHere(start, { set: [`teacher=${moved}`] });
  assert.ok(second.last.type === 'ended' && second.last.state === 'finished', JSON.stringify(second.last));
});
