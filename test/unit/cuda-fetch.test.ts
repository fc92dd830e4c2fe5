/** `dmd devices --fetch cuda` against an index in memory: what is fetched, kept and unpacked, and every way to fail. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fetchCudaLibraries } from '../../backend/cli/commands/fetch-cuda.ts';
import { tableVersion } from '../../backend/engine/onnxruntime/c-api/library.ts';
import { findCuda } from '../../backend/engine/onnxruntime/cuda/folder.ts';
import { cudaWheels } from '../../backend/engine/onnxruntime/cuda/wheels.ts';
import { fetchCuda, wantedWheels } from '../../backend/models/cuda/fetch.ts';
import { indexAddress } from '../../backend/models/cuda/package-index.ts';
import { FakeIndex, fakeWheel } from './cuda/fake-index.ts';
import { refusal, scratchFolder } from './weights/files.ts';

const only = { skip: process.platform === 'linux' && process.arch === 'x64' ? false : 'CUDA is fetched on Linux x64' };
const fakes = [fakeWheel('onnxruntime-gpu', 'libonnxruntime.so.1'), fakeWheel('nvidia-cublas', 'libcublas.so.13')];
const wheels = fakes.map(({ wheel }) => wheel);
const [runtime, cublas] = wheels as [(typeof wheels)[0], (typeof wheels)[0]];
const scratch = scratchFolder();
let roots = 0;

function setting() {
  const root = scratch.path(`root-${roots++}`);
  const index = new FakeIndex(fakes);
  return { root, index, request: { root, wheels, index }, found: () => findCuda({ root, wheels }, {}) };
}

const reasonOf = (found: ReturnType<typeof findCuda>) => ('reason' in found ? found.reason : '');

test(
  'wheels are fetched, checked and unpacked: libraries and licence texts, nothing else, and no wheel is kept',
  only,
  async () => {
    const { root, index, request, found } = setting();
    assert.match(reasonOf(found()), /were not fetched: dmd devices --fetch cuda does/);
    const told: [number, number][] = [];
    const folder = await fetchCuda({ ...request, onProgress: (done, total) => told.push([done, total]) });
    assert.deepEqual(found(), { folder });
    assert.deepEqual(readdirSync(folder).sort(), [
      ...['libcublas.so.13', 'libonnxruntime.so.1', 'nvidia-cublas-License.txt', 'onnxruntime-gpu-License.txt'],
    ]);
    assert.equal(readFileSync(join(folder, 'nvidia-cublas-License.txt'), 'utf8'), 'terms of nvidia-cublas');
    assert.deepEqual(readdirSync(join(root, 'wheels')), []);
    const total = runtime.bytes + cublas.bytes;
    assert.deepEqual(told.at(-1), [total, total]);
    assert.deepEqual(
      told,
      [...told].sort(([a], [b]) => a - b),
    );
    assert.deepEqual(index.asked, [
      ...['/simple/onnxruntime-gpu/', `/files/${runtime.file}`, '/simple/nvidia-cublas/', `/files/${cublas.file}`],
    ]);
    await fetchCuda(request);
    assert.equal(index.asked.length, 4, 'what is there is not asked for again');
  },
);

for (const knowsRanges of [true, false]) {
  test(
    `a broken download goes on where it was, with an index that ${knowsRanges ? 'knows' : 'ignores'} ranges`,
    only,
    async () => {
      const { index, request, found } = setting();
      Object.assign(index, { breakAfter: 10_000, knowsRanges, page: 'html' });
      await assert.rejects(fetchCuda(request), refusal(/cannot be reached|broke off/, 'io'));
      assert.match(reasonOf(found()), /not whole: onnxruntime-gpu is not there, and 1 more like it; .+ goes on/);
      const [{ here } = { here: 0 }] = wantedWheels(request);
      assert.ok(here > 0 && here <= 10_000, `${here} bytes are kept`);
      await fetchCuda(request);
      assert.equal(reasonOf(found()), '');
      assert.equal(index.asked[3], `/files/${runtime.file} bytes=${here}-`);
    },
  );
}

test('a stopped download leaves a part that goes on', only, async () => {
  const { request, found } = setting();
  const stop = new AbortController();
  const onProgress = (done: number) => done > 20_000 && stop.abort();
  await assert.rejects(fetchCuda({ ...request, onProgress, signal: stop.signal }), { kind: 'cancelled' });
  const [first] = wantedWheels(request);
  assert.ok(first!.here > 0 && first!.here < runtime.bytes, `${first!.here} bytes are kept`);
  await fetchCuda(request);
  assert.equal(reasonOf(found()), '');
});

test('what does not hash to its name is never unpacked and fetched anew', only, async () => {
  const { root, index, request, found } = setting();
  index.forged = true;
  await assert.rejects(fetchCuda(request), refusal(/arrived damaged: its hash is/, 'data'));
  assert.ok(!existsSync(join(root, 'lib')));
  index.forged = false;
  await fetchCuda(request);
  assert.equal(reasonOf(found()), '');
});

test('without a network it says what to do, also where there is none ever', only, async () => {
  const { index, request } = setting();
  index.offline = true;
  await assert.rejects(fetchCuda(request), (error: Error & { hint: string }) => {
    assert.match(error.message, /index https:\/\/index\.invalid\/simple cannot be reached \(ENOTFOUND\)/);
    assert.match(error.hint, /--from cuda-wheels: pip download --no-deps .+onnxruntime-gpu==1\.0 nvidia-cublas==1\.0/);
    return true;
  });
});

test('wheels in a folder need no network; missing, cut and damaged ones are refused by name', only, async () => {
  const { root, index, request, found } = setting();
  index.offline = true;
  const from = scratch.path('from');
  mkdirSync(from);
  const put = ({ wheel, content }: (typeof fakes)[0], bytes = content) => writeFileSync(join(from, wheel.file), bytes);
  put(fakes[0]!);
  await assert.rejects(
    fetchCuda({ ...request, from }),
    refusal(/from lacks nvidia_cublas-1\.0-py3-none-any\.whl$/, 'io'),
  );
  put(fakes[1]!, fakes[1]!.content.subarray(0, 1000));
  await assert.rejects(fetchCuda({ ...request, from }), refusal(/nvidia_cublas.+ has 1000 bytes, not \d+/, 'data'));
  put(fakes[1]!, Buffer.alloc(cublas.bytes));
  await assert.rejects(fetchCuda({ ...request, from }), refusal(/nvidia_cublas.+ is damaged: its hash is/, 'data'));
  assert.match(reasonOf(found()), /not whole: nvidia-cublas is not there;/);
  put(fakes[1]!);
  await fetchCuda({ ...request, from });
  assert.deepEqual(found(), { folder: join(root, 'lib') });
  assert.equal(readdirSync(from).length, 2, 'the folder stays as it was');
  assert.deepEqual(index.asked, []);
});

test(
  'libraries that were cut, deleted or are of another version are known before anything is loaded',
  only,
  async () => {
    const { root, request, found } = setting();
    const folder = await fetchCuda(request);
    truncateSync(join(folder, 'libcublas.so.13'), 100);
    assert.match(
      reasonOf(found()),
      /nvidia-cublas has a libcublas\.so\.13 of 100 bytes, not 50000; dmd devices --fetch/,
    );
    const other = wheels.map((wheel) => ({ ...wheel, sha256: '0'.repeat(64) }));
    assert.match(reasonOf(findCuda({ root, wheels: other }, {})), /onnxruntime-gpu is of another version, and 1 more/);
    await fetchCuda(request);
    assert.equal(reasonOf(found()), '');
  },
);

test('the command says sizes and licences before it fetches, and stops there when asked', only, async () => {
  const { index, request, found } = setting();
  const lines: string[] = [];
  const events: string[] = [];
  const output = { json: true, line: (text = '') => lines.push(text), event: (name: string) => events.push(name) };
  await fetchCudaLibraries(output, { ...request, dryRun: true });
  assert.match(lines[0]!, /^onnxruntime-gpu 1\.0 +0\.1 MB +as it says$/);
  assert.match(lines.at(-1)!, /MB; .*licence texts are kept .*accepts the licences/);
  assert.deepEqual([index.asked, events], [[], ['wanted', 'wanted']]);
  await fetchCudaLibraries(output, request);
  assert.deepEqual(events.slice(2), ['wanted', 'wanted', 'fetched']);
  assert.equal(reasonOf(found()), '');
  await fetchCudaLibraries(output, request);
  assert.match(lines.at(-1)!, /are in .+ already\. dmd devices tries them\.$/);
});

test("a login of the index is shown to the index alone, and to nobody's eyes", only, async () => {
  const { index, request } = setting();
  await fetchCuda({ ...request, index: { fetch: index.fetch, address: 'https://me:secret@index.invalid/simple' } });
  const login = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  assert.deepEqual(index.logins, [login, null, login, null]);
  index.offline = true;
  const away = { ...request, root: scratch.path('nowhere') };
  const failing = fetchCuda({
    ...away,
    index: { fetch: index.fetch, address: 'https://me:secret@index.invalid/simple' },
  });
  await assert.rejects(failing, ({ message }: Error) => !message.includes('secret'));
});

test('the index is the one that pip asks', async () => {
  const home = scratch.path('home');
  const file = join(home, '.config', 'pip', 'pip.conf');
  assert.equal(
    indexAddress({}, home, () => 'https://built.invalid/in/', ''),
    'https://built.invalid/in',
  );
  assert.throws(() => indexAddress({}, home, () => '', ''), refusal(/no package index is known/, 'usage'));
  mkdirSync(join(home, '.config', 'pip'), { recursive: true });
  writeFileSync(
    file,
    '[install]\nindex-url = https://wrong.invalid\n[global]\ntimeout = 9\nindex-url = https://mirror.invalid/simple/\n',
  );
  assert.equal(indexAddress({}, home), 'https://mirror.invalid/simple');
  assert.equal(indexAddress({ PIP_INDEX_URL: 'https://other.invalid/x' }, home), 'https://other.invalid/x');
  assert.throws(() => indexAddress({ PIP_INDEX_URL: 'file:///x' }, home), refusal(/no web address/, 'usage'));
});

test('the fixed wheels bring the version of ONNX Runtime that the engine knows', () => {
  assert.equal(cudaWheels[0]!.version, tableVersion);
  for (const { file, sha256, version, bytes } of cudaWheels) {
    assert.ok(file.includes(`-${version}-`) && file.endsWith('x86_64.whl'), file);
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert.ok(bytes > 1e6);
  }
});
