/** A folder made in steps: once, also when several processes want it or one dies on the way. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';

const module = new URL('../../scripts/lib/install-once.mjs', import.meta.url).href;

/** A process that installs `target` in two steps, each noted in a log; the second waits for a file if told to. */
function installer(folder: string, { wait = false } = {}): ChildProcess {
  const script = `
    import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
    import { installOnce } from ${JSON.stringify(module)};
    const [folder, wait] = ${JSON.stringify([folder, wait])};
    const step = (building, name) => async () => {
      appendFileSync(folder + '/log', name + '\\n');
      console.log(name);
      while (wait && name === 'second') await new Promise((resume) => setTimeout(resume, 1000));
      writeFileSync(building + '/' + name, name);
    };
    const built = await installOnce(folder + '/target', (b) => [['first', step(b, 'first')], ['second', step(b, 'second')]]);
    console.log(built ? 'built' : 'was there');`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function output(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout!.on('data', (chunk) => {
    text += chunk;
  });
  await once(child, 'close');
  return text;
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'dmd-once-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'log'), '');
  return folder;
}

const log = (folder: string) => readFileSync(join(folder, 'log'), 'utf8').trim().split('\n');

test('of several processes one installs and all find the result', async (t) => {
  const folder = temporary(t);
  const outputs = await Promise.all([1, 2, 3].map(() => output(installer(folder))));
  assert.equal(outputs.filter((text) => text.includes('built')).length, 1, outputs.join());
  assert.deepEqual(readdirSync(join(folder, 'target')).sort(), ['finished-steps.txt', 'first', 'second']);
  assert.deepEqual(readdirSync(folder).sort(), ['log', 'target'], 'nothing half-built is left');
});

test('an installation whose process was killed is continued, not begun again', async (t) => {
  const folder = temporary(t);
  const victim = installer(folder, { wait: true });
  await new Promise<void>((resolve) => {
    victim.stdout!.on('data', (chunk) => String(chunk).includes('second') && resolve());
  });
  victim.kill('SIGKILL');
  await once(victim, 'close');
  assert.ok(!existsSync(join(folder, 'target')), 'an unfinished folder never has the final name');
  assert.match(await output(installer(folder)), /built/);
  assert.deepEqual(log(folder), ['first', 'second', 'second']);
  assert.deepEqual(readdirSync(folder).sort(), ['log', 'target']);
});

test('what is there is left alone', async (t) => {
  const folder = temporary(t);
  await output(installer(folder));
  assert.match(await output(installer(folder)), /was there/);
  assert.deepEqual(log(folder), ['first', 'second']);
});
