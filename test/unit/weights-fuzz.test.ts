/**
 * Damaged files of every format: whatever the damage, loading ends with the weights or with a UserError, soon, and
 * without more memory than the file justifies. What it is about is how much comes out; `npm run fuzz` does more of it.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { unzipSync, zipSync } from 'fflate';
import { UserError } from '../../backend/protocol/errors.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { decodeSafetensors } from '../../backend/weights/safetensors.ts';
import { Dice } from '../fuzz/dice.ts';
import { damaged } from '../fuzz/make/bytes.ts';
import { randomBelow } from '../random.ts';
import { scratchFolder } from './weights/files.ts';

const scratch = scratchFolder();
const recorded = (name: string) =>
  Uint8Array.from(readFileSync(new URL(`../golden/cases/pickles/${name}`, import.meta.url)));

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
function damagedInside(dice: Dice): Uint8Array {
  return zipSync({ ...zipContent, [picklePath]: damaged(zipContent[picklePath], dice) }, { level: 0 });
}

const legacyFile = recorded('state-legacy.bin');
const zipFile = recorded('checkpoint-zip.bin');
const safetensorsFile = recorded('state.expected.safetensors');
const snapshotFile = recorded('network-snapshot-full.pkl');

const kinds: [what: string, runs: number, make: (dice: Dice) => Uint8Array][] = [
  ['a legacy file', 60, (dice) => damaged(legacyFile, dice)],
  ['a zip', 60, (dice) => damaged(zipFile, dice)],
  ['the pickle in a zip', 60, damagedInside],
  ['the header of safetensors', 60, (dice) => damaged(safetensorsFile, dice, 960)],
  ['a snapshot', 20, (dice) => damaged(snapshotFile, dice)],
  ['the start of a snapshot', 20, (dice) => damaged(snapshotFile, dice, 2000)],
];

for (const [what, runs, make] of kinds) {
  test(`${what}, damaged at random`, { timeout: 300_000 }, async () => {
    let refused = 0;
    // The same in every run, and as many others.
    const seeds = Array.from({ length: runs }, (_, i) => (i % 2 === 0 ? i : randomBelow(2 ** 31)));
    for (const seed of seeds) if (!(await attempt(make(new Dice(what, seed)), `${what}, seed ${seed}`))) refused++;
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
