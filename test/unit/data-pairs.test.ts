import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkSameWork, openPairs, type WritePairsOptions, writePairs } from '../../backend/data/pairs.ts';
import { tensorData } from '../../backend/graph/tensor-data.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { readSafetensors } from '../../backend/weights/safetensors.ts';
import { sourceLoader } from '../loader.ts';

const root = mkdtempSync(join(tmpdir(), 'dmd-pairs-'));
after(() => rmSync(root, { recursive: true }));
let made = 0;
const newFolder = () => join(root, `pairs${made++}`, 'inner');

const SHAPE = [2, 3, 5];
const NUMBERS = 30;

/** A pair whose every number says where it belongs. */
async function make(indices: readonly number[]) {
  const numbers = (scale: number, per: number) =>
    Float32Array.from(
      { length: indices.length * per },
      (_, i) => scale * (indices[Math.floor(i / per)]! * 100 + (i % per)),
    );
  const shape = [indices.length, ...SHAPE];
  return {
    z: tensorData(shape, numbers(1, NUMBERS)),
    y: tensorData(shape, numbers(-0.5, NUMBERS)),
    labels: tensorData([indices.length, 4], numbers(0.25, 4)),
  };
}

const options: WritePairsOptions = {
  count: 23,
  shardSize: 7,
  batchSize: 3,
  seed: 5,
  shape: SHAPE,
  labelDim: 4,
  config: { teacher: { name: 'x', sha256: 'ab' }, sampler: { steps: 18, rho: 7 } },
  make,
};

/** Every file's bytes, by name. */
const contents = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('base64')]));

async function assertUserError(promise: Promise<unknown>, kind: string, ...words: string[]) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.notEqual(error.hint, '');
    for (const word of words) assert.ok(error.message.includes(word), `${word} not in: ${error.message}`);
    return true;
  });
}

test('pairs come back by index, in any order, repeated, across shards', async () => {
  const folder = newFolder();
  const progress: number[] = [];
  const result = await writePairs(folder, { ...options, onProgress: (done) => progress.push(done) });
  assert.deepEqual(result, { made: 23, kept: 0 });
  assert.deepEqual(progress, [0, 3, 6, 7, 10, 13, 14, 17, 20, 21, 23]);
  const set = await openPairs(folder, { config: options.config, seed: 5, shape: SHAPE, labelDim: 4 });
  assert.deepEqual([set.count, set.shape, set.labelDim, set.config], [23, SHAPE, 4, options.config]);
  const indices = [22, 0, 6, 7, 6, 13, 21];
  assert.deepEqual(await set.batch(indices), await make(indices));
  await assert.rejects(set.batch([23]), /index 23 of 23/);
  assert.deepEqual(readdirSync(folder).length, 5);
});

test('a shard is plain safetensors, and unlabelled pairs work', async () => {
  const folder = newFolder();
  const unlabelled = async (indices: readonly number[]) => {
    const pairs = await make(indices);
    return { ...pairs, labels: tensorData([indices.length, 0], new Float32Array(0)) };
  };
  await writePairs(folder, { ...options, labelDim: 0, make: unlabelled });
  assert.deepEqual((await (await openPairs(folder)).batch([9, 1])).labels.shape, [2, 0]);
  const { tensors } = await readSafetensors(join(folder, 'pairs-00001.safetensors'));
  assert.deepEqual(tensors.get('z')!.shape, [7, ...SHAPE]);
  assert.equal(tensors.get('y')!.data[0], -350);
});

test('a second call makes nothing, a larger count only what is missing, a smaller one nothing', async () => {
  const folder = newFolder();
  await writePairs(folder, options);
  const before = contents(folder);
  const never = async () => assert.fail('nothing is missing');
  assert.deepEqual(await writePairs(folder, { ...options, make: never }), { made: 0, kept: 23 });
  assert.deepEqual(contents(folder), before);
  const asked: number[] = [];
  const counting = (indices: readonly number[]) => {
    asked.push(...indices);
    return make(indices);
  };
  assert.deepEqual(await writePairs(folder, { ...options, count: 30, make: counting }), { made: 9, kept: 21 });
  assert.deepEqual(asked, [21, 22, 23, 24, 25, 26, 27, 28, 29]);
  assert.deepEqual(await writePairs(folder, { ...options, count: 9, make: never }), { made: 0, kept: 9 });
  assert.equal((await openPairs(folder)).count, 9);
  assert.deepEqual(await writePairs(folder, { ...options, count: 30, make: never }), { made: 0, kept: 30 });
});

test('a kill -9 at any moment is continued to the same bytes', async () => {
  const reference = newFolder();
  await writePairs(reference, options);
  const script = join(root, 'write.mts');
  const here = new URL('../../backend/', import.meta.url).href;
  writeFileSync(
    script,
    `import { writePairs } from '${here}data/pairs.ts';
     const make = async (indices) => {
       await new Promise((done) => setTimeout(done, 5));
       const t = (shape, scale, per) => ({ shape: [indices.length, ...shape], data: Float32Array.from(
         { length: indices.length * per }, (_, i) => scale * (indices[Math.floor(i / per)] * 100 + (i % per))) });
       return { z: t([2, 3, 5], 1, 30), y: t([2, 3, 5], -0.5, 30), labels: t([4], 0.25, 4) };
     };
     const options = ${JSON.stringify(options)};
     await writePairs(process.argv[2], { ...options, make, onProgress: (done) => console.log(done) });`,
  );
  const folder = newFolder();
  let kills = 0;
  for (const killAt of [2, 5, 9]) {
    const child = spawn(process.execPath, ['--import', sourceLoader, script, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let lines = 0;
    child.stdout.on('data', (text: Buffer) => {
      lines += text.toString().split('\n').length - 1;
      if (lines >= killAt) child.kill('SIGKILL');
    });
    const [, signal] = await once(child, 'exit');
    if (signal === 'SIGKILL') kills++;
    await openPairs(folder).then(
      () => assert.equal(signal, null, 'an unfinished folder must not open'),
      (error: unknown) => assert.ok(error instanceof UserError && /not finished/.test(error.message), String(error)),
    );
  }
  assert.ok(kills >= 1, 'at least one run was killed in the middle');
  writeFileSync(join(folder, '.pairs-00003.safetensors.1-0123abcd.tmp'), 'half a shard');
  const { made: rest, kept } = await writePairs(folder, options);
  assert.equal(rest + kept, 23);
  assert.deepEqual(contents(folder), contents(reference));
});

test('a shard that is damaged is named when read, and made anew by writePairs', async () => {
  const folder = newFolder();
  await writePairs(folder, options);
  const intact = contents(folder);
  const shard = join(folder, 'pairs-00001.safetensors');
  const damages: Record<string, () => void> = {
    'a flipped bit': () => {
      const bytes = readFileSync(shard);
      bytes[bytes.length - 9]! ^= 1;
      writeFileSync(shard, bytes);
    },
    'cut off': () => truncateSync(shard, statSync(shard).size - 4),
    missing: () => rmSync(shard),
  };
  for (const [name, damage] of Object.entries(damages)) {
    damage();
    const set = await openPairs(folder);
    await set.batch([0, 22]);
    await assertUserError(set.batch([0, 8]), 'data', shard);
    await assertUserError(set.verify(), 'data', shard);
    assert.deepEqual(await writePairs(folder, options), { made: 7, kept: 16 }, name);
    assert.deepEqual(contents(folder), intact, name);
  }
});

test('a damaged shard stays refused when its time stamp is unchanged', async () => {
  const folder = newFolder();
  await writePairs(folder, options);
  const shard = join(folder, 'pairs-00000.safetensors');
  const { atime, mtime } = statSync(shard);
  const bytes = readFileSync(shard);
  bytes[200]! ^= 4;
  writeFileSync(shard, bytes);
  utimesSync(shard, atime, mtime);
  await assertUserError((await openPairs(folder)).batch([3]), 'data', 'pairs-00000.safetensors');
});

test('other settings are refused, naming the key', async () => {
  const folder = newFolder();
  await writePairs(folder, options);
  const { config } = options;
  const others: [Partial<WritePairsOptions>, string, string][] = [
    [{ config: { ...config, sampler: { steps: 35, rho: 7 } } }, 'config.sampler.steps is 18', '35 now'],
    [{ config: { ...config, sampler: { steps: 18 } } }, 'config.sampler.rho is 7', 'absent now'],
    [{ config: { ...config, device: 'cpu' } }, 'config.device is absent', '"cpu" now'],
    [{ seed: 6 }, 'seed is 5', '6 now'],
    [{ shape: [2, 4, 5] }, 'shape.1 is 3', '4 now'],
    [{ labelDim: 5 }, 'labelDim is 4', '5 now'],
    [{ shardSize: 8 }, 'shardSize is 7', '8 now'],
  ];
  const before = contents(folder);
  for (const [change, was, is] of others) {
    await assertUserError(writePairs(folder, { ...options, ...change }), 'config', folder, was, is);
  }
  await assertUserError(openPairs(folder, { seed: 6 }), 'config', 'seed is 5');
  assert.deepEqual(contents(folder), before);
});

test('stopping keeps finished shards; a pair that is not finite is named and not written', async () => {
  const folder = newFolder();
  const stop = new AbortController();
  const onProgress = (done: number) => done >= 10 && stop.abort();
  const run = writePairs(folder, { ...options, signal: stop.signal, onProgress });
  await assertUserError(run, 'cancelled', 'stopped at 10 of 23');
  const bad = async (indices: readonly number[]) => {
    const pairs = await make(indices);
    if (indices.includes(16)) pairs.y.data[indices.indexOf(16) * NUMBERS + 4] = Number.NaN;
    return pairs;
  };
  await assertUserError(writePairs(folder, { ...options, make: bad }), 'numeric', 'y of pair 16');
  assert.deepEqual(await writePairs(folder, options), { made: 9, kept: 14 });
});

test('folders without pairs and damaged manifests are refused', async () => {
  await assertUserError(openPairs(join(root, 'nowhere')), 'data', 'nowhere', 'pairs.json');
  const folder = newFolder();
  await writePairs(folder, options);
  const manifest = join(folder, 'pairs.json');
  const text = readFileSync(manifest, 'utf8');
  for (const [bad, word] of [
    [text.slice(0, 90), 'JSON'],
    [text.replace('"seed": 5', '"seed": "5"'), 'seed'],
    [text.replace('"format"', '"fromat"'), 'format'],
  ] as const) {
    writeFileSync(manifest, bad);
    await assertUserError(openPairs(folder), 'data', manifest, word);
    await assertUserError(writePairs(folder, options), 'data', manifest, word);
  }
  const file = join(root, 'plain-file');
  writeFileSync(file, '');
  await assertUserError(writePairs(file, options), 'io', file);
});

test('other work, or a folder with something of that name, is refused before anything is touched', async () => {
  const folder = newFolder();
  const texts = { 'prompts.txt': 'a circle\n' };
  const work = { ...options, texts, config: { ...options.config, prompts: 'h1' } };
  await writePairs(folder, work);
  assert.equal(readFileSync(join(folder, 'prompts.txt'), 'utf8'), 'a circle\n');
  // What another process is just writing is as much its own as what is finished.
  writeFileSync(join(folder, '.pairs.json.1-0123abcd.tmp'), 'half a manifest');
  const before = contents(folder);
  const never = async () => assert.fail('nothing is to be made');
  const other = { ...work, texts: { 'prompts.txt': 'b\n' }, config: { ...work.config, prompts: 'h2' }, make: never };
  for (const refused of [writePairs, checkSameWork]) {
    await assertUserError(refused(folder, other), 'config', folder, 'config.prompts is "h1"', '"h2" now');
  }
  await assertUserError(checkSameWork(folder, { ...work, count: 22 }), 'config', folder, 'count is 23', '22 now');
  for (const count of [23, 40]) await checkSameWork(folder, { ...work, count });
  assert.deepEqual(contents(folder), before);

  const own = newFolder();
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'prompts.txt'), 'my own\n');
  const found = contents(own);
  for (const refused of [writePairs, checkSameWork]) {
    await assertUserError(refused(own, work), 'config', join(own, 'prompts.txt'));
  }
  assert.deepEqual(contents(own), found);
  await checkSameWork(newFolder(), work);
});

test('a text of the set that was lost or changed since is restored with it', async () => {
  const folder = newFolder();
  const work = { ...options, texts: { 'prompts.txt': 'a circle\n' } };
  await writePairs(folder, work);
  const intact = contents(folder);
  for (const damage of [
    () => rmSync(join(folder, 'prompts.txt')),
    () => writeFileSync(join(folder, 'prompts.txt'), ''),
  ]) {
    damage();
    assert.deepEqual(await writePairs(folder, work), { made: 0, kept: 23 });
    assert.deepEqual(contents(folder), intact);
  }
});

test('the identity of the first pairs is theirs alone: more behind them, another folder or teacher make no difference', async () => {
  const folder = newFolder();
  await writePairs(folder, options);
  const identities = async (at: string) => {
    const set = await openPairs(at);
    return Promise.all([23, 21, 9].map((used) => set.identity(used)));
  };
  const before = await identities(folder);
  assert.equal(new Set(before).size, 3);
  await writePairs(folder, { ...options, count: 40 });
  assert.deepEqual(await identities(folder), before);
  const again = newFolder();
  await writePairs(again, { ...options, config: {}, count: 30 });
  assert.deepEqual(await identities(again), before);

  const changed = async (change: Partial<WritePairsOptions>) => {
    const at = newFolder();
    await writePairs(at, { ...options, ...change });
    return identities(at);
  };
  const bitten = (index: number) => async (indices: readonly number[]) => {
    const pairs = await make(indices);
    if (indices.includes(index)) pairs.y.data[indices.indexOf(index) * NUMBERS] += 1;
    return pairs;
  };
  const prompts = await changed({ config: { prompts: 'h' } });
  assert.ok(prompts.every((identity, i) => identity !== before[i]));
  const last = await changed({ make: bitten(22) });
  assert.deepEqual([last[0] === before[0], last.slice(1)], [false, before.slice(1)]);
  const early = await changed({ make: bitten(3) });
  assert.ok(early.every((identity, i) => identity !== before[i]));
});
