/**
 * Damaged files of every format: whatever the damage, loading ends with the weights or with a UserError, soon, and
 * without more memory than the file justifies. The damage follows from the number in the test's message.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { unzipSync, zipSync } from 'fflate';
import { UserError } from '../../backend/protocol/errors.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { decodeSafetensors } from '../../backend/weights/safetensors.ts';
import { scratchFolder } from './weights/files.ts';

const scratch = scratchFolder();
const recorded = (name: string) =>
  Uint8Array.from(readFileSync(new URL(`../golden/cases/pickles/${name}`, import.meta.url)));

/** Whole numbers below a bound, from a seed (Marsaglia's xorshift32). */
function dice(seed: number): (bound: number) => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

/** Bytes that mean much: extremes, and pickle instructions. */
const meaningful = Buffer.from(
  '\0\x01\x7f\x80\xff().0129BCGIJKLMNQRSTUVXbcdeghijlopqrstu}]\x81\x8a\x8b\x8e\x92\x93\x94\x95',
  'latin1',
);

/** One to four wounds within the first `reach` bytes: bits and bytes changed, cut out, copied in, the end torn off. */
function damaged(file: Uint8Array, seed: number, reach = file.length): Uint8Array {
  const below = dice(seed);
  let out: Uint8Array = Uint8Array.from(file);
  for (let wounds = 1 + below(4); wounds > 0; wounds--) {
    const at = below(Math.max(1, Math.min(reach, out.length)));
    const kind = below(6);
    if (kind <= 1) out[at] ^= 1 << below(8);
    else if (kind === 2) out[at] = meaningful[below(meaningful.length)];
    else if (kind === 3) out = out.slice(0, below(out.length + 1));
    else if (kind === 4) out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + below(8))]);
    else {
      const from = below(reach);
      out = Buffer.concat([out.subarray(0, at), out.subarray(from, from + below(40)), out.subarray(at)]);
    }
  }
  return out;
}

/** Loads, and says whether weights came out. Anything but a UserError fails the test. */
async function attempt(file: Uint8Array, what: string): Promise<boolean> {
  const path = await scratch.write('damaged.bin', file);
  try {
    const { tensors } = await loadWeights(path);
    const bytes = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    // Half floats widen to twice their size, bytes to four times.
    assert.ok(bytes <= 4 * (4 * file.length + 2 ** 26), `${what}: ${bytes} bytes of tensors`);
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw new Error(`${what}: not a UserError`, { cause: error });
    assert.equal(error.kind, 'weights', what);
    assert.ok(error.message.startsWith(path), `${what}: ${error.message}`);
    return false;
  }
}

const zipContent = unzipSync(recorded('state-zip.bin'));
const picklePath = 'state-zip/data.pkl';

/** Damage to the pickle inside a zip, with checksums that fit. */
function damagedInside(seed: number): Uint8Array {
  return zipSync({ ...zipContent, [picklePath]: damaged(zipContent[picklePath], seed) }, { level: 0 });
}

const legacyFile = recorded('state-legacy.bin');
const zipFile = recorded('checkpoint-zip.bin');
const safetensorsFile = recorded('state.expected.safetensors');
const snapshotFile = recorded('network-snapshot-full.pkl');

const kinds: [what: string, runs: number, make: (seed: number) => Uint8Array][] = [
  ['a legacy file', 400, (seed) => damaged(legacyFile, seed)],
  ['a zip', 300, (seed) => damaged(zipFile, seed)],
  ['the pickle in a zip', 300, damagedInside],
  ['the header of safetensors', 400, (seed) => damaged(safetensorsFile, seed, 960)],
  ['a snapshot', 60, (seed) => damaged(snapshotFile, seed)],
  ['the start of a snapshot', 60, (seed) => damaged(snapshotFile, seed, 2000)],
];

for (const [what, runs, make] of kinds) {
  test(`${what}, damaged at random`, { timeout: 120_000 }, async () => {
    let refused = 0;
    for (let seed = 0; seed < runs; seed++) if (!(await attempt(make(seed), `${what}, seed ${seed}`))) refused++;
    assert.ok(refused > runs / 3, `only ${refused} of ${runs} were noticed`);
  });
}

test('every beginning of a safetensors file is refused', () => {
  for (let length = 0; length < safetensorsFile.length; length++) {
    assert.throws(() => decodeSafetensors(safetensorsFile.subarray(0, length)), UserError, `${length} bytes`);
  }
});

test('beginnings of PyTorch files are refused', async () => {
  for (const [what, file, step] of [
    ['legacy', legacyFile, 17],
    ['zip', zipFile, 37],
    ['snapshot', snapshotFile, 9001],
  ] as const) {
    for (let length = file.length - 1; length >= 0; length -= step) {
      assert.equal(
        await attempt(file.subarray(0, length), `${what}, ${length} bytes`),
        false,
        `${what}, ${length} bytes`,
      );
    }
  }
});

test('a 64-bit offset in a zip that points nowhere is refused, not passed to the system', async () => {
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(2n ** 53n + 2n ** 60n, 8);
  const end = Buffer.from(zipFile).lastIndexOf('PK\x05\x06');
  const file = Buffer.concat([zipFile.subarray(0, end), locator, zipFile.subarray(end)]);
  assert.equal(await attempt(file, 'zip64'), false);
});
