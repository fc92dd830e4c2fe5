/** The parts of the debug adapter that need no run: addresses of listings, conditions of data breakpoints, cuts of arrays, standard streams. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import { whenOf } from '../../backend/adapter/data-breakpoints.ts';
import { numberText, tensorText } from '../../backend/adapter/one-line.ts';
import { configOfListing, listingUri, sameListing } from '../../backend/protocol/listing-uri.ts';
import { type StatisticName, statisticNames } from '../../backend/protocol/values/value.ts';
import { sourceLoader } from '../loader.ts';
import { openEditor } from './adapter/client.ts';
import { FakeRun } from './adapter/fake-run.ts';

test('a config has one listing, whose address leads back to it', () => {
  for (const [file, uri] of [
    ['/a/mine.dmd.json', 'dmd-listing:/a/mine.dmd'],
    ['/a b/%20/\u00e9#?.dmd.json', 'dmd-listing:/a%20b/%2520/%C3%A9%23%3F.dmd'],
    ['/a/mine.json', 'dmd-listing:/a/mine.json.dmd'],
    ['/a/mine.jsonc', 'dmd-listing:/a/mine.jsonc.dmd'],
    ['C:\\runs\\mine.dmd.json', 'dmd-listing:/C%3A/runs/mine.dmd'],
  ] as const) {
    assert.equal(listingUri(file), uri);
    assert.equal(configOfListing(uri), file);
  }
  assert.ok(sameListing('dmd-listing:/c%3A/runs/mine.dmd', 'dmd-listing:/C:/runs/mine.dmd'));
  assert.ok(!sameListing('dmd-listing:/a/mine.dmd', 'dmd-listing:/a/Mine.dmd'));
  for (const uri of [
    '',
    'file:///a/mine.dmd',
    'dmd-listing:mine.dmd',
    'dmd-listing:/a/mine.txt',
    'dmd-listing:/%E0%A4%A.dmd',
  ]) {
    assert.equal(configOfListing(uri), undefined, uri);
    assert.ok(!sameListing(uri, uri));
  }
});

test("a data breakpoint's condition says what it waits for", () => {
  const when = (type: string, more: object = {}, condition?: string) => ({
    when: { type, ...more },
    ...(condition === undefined ? {} : { condition }),
  });
  for (const [text, meant] of [
    ['', when('changes', { by: 0 })],
    ['changes', when('changes', { by: 0 })],
    ['changes by more than .5 if step > 3', when('changes', { by: 0.5 }, 'step > 3')],
    ['crosses 1e-3', when('crosses', { level: 0.001 })],
    [' is not finite ', when('is not finite')],
    ['loss.fake > 2', when('changes', { by: 0 }, 'loss.fake > 2')],
    ['crosses the street', when('changes', { by: 0 }, 'crosses the street')],
  ] as const) {
    assert.deepEqual(whenOf(text), meant, text);
  }
});

test('numbers keep what a float32 tells apart, and what is not a number says so', () => {
  const values = [Math.fround(0.1), 1 / 3, -1e-9, 1e12, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  assert.deepEqual(values.map(numberText), ['0.1', '0.3333333', '-1e-9', '1000000000000', 'NaN', 'Inf', '-Inf']);
  assert.equal(tensorText({ shape: [2, 3], type: 'float16', statistics: null }), '[2, 3] float16');
});

test('a value panel reads cuts of a tensor, in its own shape and in another', async (t) => {
  const run = await FakeRun.open(t);
  const { ask, event } = await openEditor(t);
  await ask('attach', { run: run.folder, stopOnEntry: true });
  await ask('configurationDone');
  await event('stopped');
  await ask('next', { threadId: 1 });
  await event('stopped');
  const read = async (args: object) => {
    const { numbers, statistics, ...rest } = await ask('dmdReadValue', {
      expression: 'z',
      shape: null,
      count: false,
      ...args,
    });
    const values = (base64: string | null, bytes: 4 | 8) => {
      if (base64 === null) return null;
      const { buffer } = Uint8Array.from(Buffer.from(base64, 'base64'));
      return [...(bytes === 4 ? new Float32Array(buffer) : new Float64Array(buffer))];
    };
    return { ...rest, numbers: values(numbers, 4), statistics: values(statistics, 8) };
  };
  const about = { shape: [2, 3], dtype: 'float32', device: 'cpu', statistics: null };
  // z = [[-1, -0.5, 0], [0.5, 1, 1.5]]
  const turned = { at: [null, null], step: [1, 2], order: [1, 0] };
  assert.deepEqual(await read({ cut: turned }), { ...about, numbers: [-1, 0.5, 0, 1.5] });
  const flat = { at: [null, 1], step: [2, 1], order: [0] };
  const reshaped = await read({ shape: [3, 2], cut: flat });
  assert.deepEqual(reshaped, { ...about, shape: [3, 2], numbers: [-0.5, 1.5] });
  const { statistics } = await read({ count: true, cut: null });
  assert.deepEqual(
    Object.fromEntries(statisticNames.map((name, i) => [name, Number(statistics![i]!.toPrecision(4))])),
    { count: 6, min: -1, mean: 0.25, max: 1.5, std: 0.8539, nan: 0, above: 0, below: 0, zero: 1 },
  );
  run.numbers.get('z')!.set([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  const odd = (await read({ count: true, cut: null })).statistics!;
  const counts = (name: StatisticName) => odd[statisticNames.indexOf(name)];
  // All of them, as for arrays of other programs.
  assert.deepEqual(
    ['count', 'nan', 'above', 'below'].map((name) => counts(name as StatisticName)),
    [6, 1, 1, 1],
  );
  for (const bad of [
    { shape: [7], cut: null },
    { cut: { at: [null, 3], step: [1, 1], order: [0] } },
    { cut: { at: [null, null], step: [1, 1], order: [0] } },
    { cut: { at: [null], step: [1], order: [0] } },
    { expression: 'missing', cut: null },
  ]) {
    await assert.rejects(read(bad), JSON.stringify(bad));
  }
});

test('dmd debug-adapter speaks the protocol over standard streams, and ends with its editor', async () => {
  const main = fileURLToPath(new URL('../../backend/cli/main.ts', import.meta.url));
  const args = ['--import', sourceLoader, main, 'debug-adapter'];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  class Streams extends DebugClient {
    constructor() {
      super('', '', 'dmd');
      this.connect(child.stdout!, child.stdin!);
    }
  }
  const editor = new Streams();
  const { body } = await editor.initializeRequest();
  assert.ok(body?.supportsStepBack);
  await assert.rejects(editor.customRequest('launch', {}), /nothing says what to run/);
  await editor.disconnectRequest({});
  assert.equal(await ended, 0);
});
