/** Finding and choosing devices: what works is measured, what crashes or hangs is a reason. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  type DeviceStatus,
  drawingInWords,
  fastest,
  listDevices,
  openEngine,
  workingInWords,
} from '../../backend/engine/devices.ts';
import { runProbe } from '../../backend/engine/probe-process.ts';
import { UserError } from '../../backend/protocol/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'dmd-devices-'));
after(() => rmSync(folder, { recursive: true }));

function script(body: string): string {
  const file = join(folder, `${Math.random()}.mjs`);
  writeFileSync(file, body);
  return file;
}

const kind = (wanted: string) => (error: unknown) => error instanceof UserError && error.kind === wanted;

test('every device is listed, the CPU works and has a speed, the others work or say why not', async () => {
  const found = await listDevices({ threads: 1 });
  assert.deepEqual(found.map(({ device }) => device).slice(0, 7), [
    'cpu',
    'webgpu',
    'cuda',
    'dml',
    'coreml',
    'tensorflow',
    'openvino',
  ]);
  for (const { device, available, reason, gigaflops, through } of found) {
    assert.equal(available, gigaflops > 0, device);
    assert.equal(available, through !== '', device);
    assert.equal(available, reason === '', `${device}: ${reason}`);
  }
  for (const { device, available } of found.slice(7)) assert.ok(available && device.startsWith('openvino-'), device);
  assert.ok(found[0].available);
  assert.match(
    workingInWords(found[0]),
    /^\d+ GFLOP\/s in 3x3 convolutions, through (ONNX Runtime's C API|onnxruntime-node, because .+)$/,
  );
  assert.ok(
    found.some(({ available }) => !available),
    'no machine has both DirectML and CoreML',
  );
});

test('a device that is not there is refused with its reason', async () => {
  const absent = process.platform === 'win32' ? 'coreml' : 'dml';
  await assert.rejects(
    openEngine({ device: absent }),
    (error) => kind('device')(error) && (error as Error).message.includes(`no ${absent} for ${process.platform}`),
  );
  await assert.rejects(openEngine({ device: 'gpu' }), kind('usage'));
});

test('auto takes the fastest and says why; with nothing there it says so', () => {
  const status = (device: DeviceStatus['device'], gigaflops: number): DeviceStatus => {
    return { device, gigaflops, available: gigaflops > 0, reason: gigaflops > 0 ? '' : 'no driver', through: 'it' };
  };
  const best = fastest([status('cpu', 151), status('webgpu', 2034), status('cuda', 0)]);
  assert.equal(best.device, 'webgpu');
  assert.match(best.why, /webgpu 2000, cpu 150/);
  assert.equal(fastest([status('cpu', 151), status('webgpu', 0.4)]).device, 'cpu');
  assert.match(fastest([status('cpu', 151), status('cuda', 0)]).why, /no other/);
  assert.throws(() => fastest([status('cpu', 0)]), kind('device'));
  const drawing = [status('cpu', 100), status('openvino', 130), status('openvino-bf16', 0)];
  assert.equal(fastest(drawing).device, 'cpu', 'trainings do not know it');
  assert.match(drawingInWords(drawing, fastest(drawing)), /^Pictures can be drawn by openvino \(1\.3 times as fast\);/);
  assert.equal(drawingInWords([status('cpu', 100)], fastest([status('cpu', 100)])), '');
});

test('a trial that crashes, hangs or dies at once is an answer', async () => {
  const crash = await runProbe<object>(
    script("process.stderr.write('driver says no\\n'); process.abort();"),
    [],
    20_000,
  );
  assert.match('error' in crash ? crash.error : '', /crashed \(SIGABRT\)|exit code/);
  const hang = await runProbe<object>(script('while (true);'), [], 700);
  assert.match('error' in hang ? hang.error : '', /no answer within 0.7 seconds/);
  const quiet = await runProbe<object>(script("process.stderr.write('no library\\n'); process.exit(3);"), [], 20_000);
  assert.match('error' in quiet ? quiet.error : '', /exit code 3\): no library/);
  const works = await runProbe<object>(script('process.send({ gigaflops: Number(process.argv[2]) });'), ['7'], 20_000);
  assert.deepEqual(works, { gigaflops: 7 });
});
