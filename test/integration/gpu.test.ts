/**
 * `npm run gpu` as a whole on what every machine has, the CPU as a stand-in for a device; and what it says where there is no
 * graphics card. `npm run gpu -- --software` does the same on SwiftShader, in minutes.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { GpuRecord } from '../gpu/record.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'dmd-gpu-test-'));
after(() => rmSync(folder, { recursive: true }));
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const program = ['--import', here('../sources.mjs'), here('../gpu/run.ts')];

interface Done {
  readonly status: number | null;
  readonly said: string;
  readonly record: GpuRecord;
  readonly html: string;
}

function gpu(name: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Done {
  const out = path.join(folder, name);
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...args, '--out', out], {
    encoding: 'utf8',
    // PyTorch takes its time to start.
    env: { ...process.env, DMD_BENCH_PYTHON: 'there-is-no-such-python', ...environment },
  });
  return { status, said: `${stdout}${stderr}`, ...reportIn(out) };
}

function reportIn(out: string) {
  const read = (file: string) => readFileSync(path.join(out, file), 'utf8');
  return { record: JSON.parse(read('gpu.json')) as GpuRecord, html: read('gpu.html') };
}

test('every step runs on a device, and the report has what it found', () => {
  const few = ['--device', 'cpu', '--small', '--iterations', '3', '--threads', '1', '--patience', '10'];
  const { status, said, record, html } = gpu('whole', few);
  assert.equal(status, 0, said);
  assert.deepEqual(
    record.steps.map(({ id, status }) => [id, status]),
    ['adapters', 'opening', 'contract', 'cases', 'curves', 'crossings', 'speed'].map((id) => [id, 'passed']),
  );
  const rows = (id: string) => record.steps.find((step) => step.id === id)!.findings.table!.rows;
  assert.ok(rows('contract').length >= 7 && rows('contract').every(([, kept]) => kept === 'yes'));
  assert.deepEqual(
    rows('cases').map(([name]) => name),
    ['sd-guidance', 'edm-eps-songunet'],
  );
  const { curves } = record.steps.find(({ id }) => id === 'curves')!.findings;
  assert.equal(curves!.length, 5);
  for (const { name, device, cpu } of curves!) {
    assert.deepEqual(device, cpu, 'the stand-in is the CPU');
    assert.ok(device.length === 3 && device.every((value) => value > 0), name);
  }
  assert.match(rows('speed')[0]!.join(), /One-step sample.*cpu/);
  assert.match(html, /Everything that was done on cpu is well/);
  assert.match(said, /Report: .*gpu\.html/);
});

const onlyLinux = { skip: process.platform !== 'linux' && 'elsewhere a driver cannot be hidden' };

test('without a graphics card it says so, names what is not there, and that is no failure', onlyLinux, () => {
  const none = { VK_ICD_FILENAMES: '/nowhere.json', VK_DRIVER_FILES: '/nowhere.json' };
  const { status, said, record } = gpu('none', ['--device', 'webgpu,tensorflow'], none);
  assert.equal(status, 0, said);
  assert.match(said, /There is no graphics card here that could be used/);
  const [machine, webgpu, tensorflow] = record.steps;
  assert.deepEqual([webgpu!.status, tensorflow!.status], ['absent', 'absent']);
  assert.match(tensorflow!.why, /@tensorflow\/tfjs-node-gpu is not installed/);
  assert.match(machine!.findings.notes.join('\n'), /Vulkan (driver|loader)|not listed/);
});

test('a software adapter is described, and opened when it is asked for', async (t) => {
  const { record } = gpu('software', ['--device', 'webgpu', '--software', '--only', 'no further step']);
  const [machine, webgpu] = record.steps;
  const rows = machine!.findings.table!.rows.filter(([, kind]) => kind === 'software');
  if (rows.length === 0) return t.skip('no software adapter here (npm test -- --install brings SwiftShader)');
  const [name, , driver, version, memory, largest, buffers] = rows[0]!;
  assert.ok(name!.length > 3 && driver!.length > 3, rows[0]!.join());
  assert.match(version!, /^1\.[1-9]\d*\.\d+$/);
  // What WebGPU asks of an adapter at least.
  assert.ok(Number.parseInt(memory!, 10) >= 128 && Number.parseInt(largest!, 10) >= 128 && Number(buffers) >= 8);
  assert.equal(webgpu!.status, 'passed', webgpu!.why);
  assert.match(webgpu!.findings.table!.rows.join('\n'), /results stay on the device,yes/);
});

test('a step that does not end is broken off, what it found stays, and that is a failure', () => {
  const { status, record } = gpu('slow', ['--device', 'cpu', '--small', '--only', 'speed', '--patience', '0.02']);
  // Nothing passes in so little time.
  assert.equal(status, 1);
  assert.equal(record.steps[0]!.status, 'slow');
  assert.match(record.steps[0]!.why, /broken off/);
});

test('when it is interrupted the report is there', {
  skip: process.platform === 'win32' && 'there are no signals',
}, async () => {
  const out = path.join(folder, 'interrupted');
  const child = spawn(process.execPath, [...program, '--device', 'cpu', '--only', 'curves', '--out', out]);
  let said = '';
  child.stdout.on('data', (text) => {
    said += text;
    if (said.includes("beside the CPU's (")) child.kill('SIGINT');
  });
  const status = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(status, 130, said);
  assert.ok(existsSync(path.join(out, 'gpu.html')));
  const { record } = reportIn(out);
  assert.equal(record.steps.at(-1)!.status, 'interrupted');
  assert.match(record.verdict, /interrupted/);
});

test('a wrong call says what there is', () => {
  const { status, stderr } = spawnSync(process.execPath, [...program, '--devise', 'cpu'], { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /error: .*--devise[\s\S]*--device NAME/);
});
