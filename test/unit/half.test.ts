/** float16 and bfloat16 against an independent reading of IEEE 754, for every 16-bit pattern and every rounding tie. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  areFinite,
  bfloatsToFloats,
  bfloatToFloat,
  floatsToHalves,
  floatToBfloat,
  floatToHalf,
  halfToFloat,
  halvesToFloats,
  widenHalves,
} from '../../backend/graph/half.ts';

/** The value that the fields of a half spell out, by the definition of the format. */
function halfByDefinition(half: number): number {
  const sign = half >> 15 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The float32 next to a positive one, `step` representable values away. */
function neighbour(value: number, step: number): number {
  const float = new Float32Array([value]);
  new Uint32Array(float.buffer)[0] += step;
  return float[0];
}

const everyHalf = Uint16Array.from({ length: 65536 }, (_, half) => half);

test('every float16 has the value its fields spell out', () => {
  const bulk = halvesToFloats(everyHalf);
  for (const half of everyHalf) {
    const expected = halfByDefinition(half);
    if (!Object.is(halfToFloat(half), expected)) assert.fail(`${half}: ${halfToFloat(half)}, not ${expected}`);
    if (!Object.is(bulk[half], expected)) assert.fail(`${half} in bulk: ${bulk[half]}, not ${expected}`);
  }
});

test('every float16 comes back from its float32, NaNs as NaNs of the same sign', () => {
  const back = floatsToHalves(halvesToFloats(everyHalf));
  for (const half of everyHalf) {
    const nan = (half & 0x7fff) > 0x7c00;
    const expected = nan ? half | 0x200 : half;
    if (back[half] !== expected) assert.fail(`${half} came back as ${back[half]}`);
  }
});

test('between two neighbours the nearer one wins, a tie goes to the even one', () => {
  for (let half = 0; half < 0x7bff; half++) {
    const middle = (halfByDefinition(half) + halfByDefinition(half + 1)) / 2;
    const even = half % 2 === 0 ? half : half + 1;
    const cases: [number, number][] = [
      [middle, even],
      [neighbour(middle, -1), half],
      [neighbour(middle, 1), half + 1],
      [-middle, even | 0x8000],
    ];
    for (const [value, expected] of cases) {
      if (floatToHalf(value) !== expected) assert.fail(`${value}: ${floatToHalf(value)}, not ${expected}`);
    }
  }
});

test('what is too large for float16 becomes infinity, what is too small zero', () => {
  assert.equal(floatToHalf(65519.996), 0x7bff);
  assert.equal(floatToHalf(65520), 0x7c00);
  assert.equal(floatToHalf(-1e30), 0xfc00);
  assert.equal(floatToHalf(Number.NEGATIVE_INFINITY), 0xfc00);
  assert.equal(floatToHalf(2 ** -25), 0);
  assert.equal(floatToHalf(neighbour(2 ** -25, 1)), 1);
  assert.equal(floatToHalf(-(2 ** -140)), 0x8000);
});

test('every bfloat16 is the upper half of its float32, and comes back', () => {
  const bulk = bfloatsToFloats(everyHalf);
  const bits = new Uint32Array(bulk.buffer);
  for (const bfloat of everyHalf) {
    const nan = (bfloat & 0x7fff) > 0x7f80;
    if (bits[bfloat] !== bfloat * 65536) assert.fail(`${bfloat}: bits ${bits[bfloat]}`);
    if (!Object.is(bfloatToFloat(bfloat), bulk[bfloat])) assert.fail(`${bfloat}: one value is not as in bulk`);
    const expected = nan ? bfloat | 0x40 : bfloat;
    if (floatToBfloat(bulk[bfloat]) !== expected) assert.fail(`${bfloat} came back as ${floatToBfloat(bulk[bfloat])}`);
  }
});

test('bfloat16 rounds to nearest, ties to even, over into infinity', () => {
  for (let bfloat = 0; bfloat < 0x7f7f; bfloat++) {
    const tie = bfloatToFloat(bfloat) + (bfloatToFloat(bfloat + 1) - bfloatToFloat(bfloat)) / 2;
    const even = bfloat % 2 === 0 ? bfloat : bfloat + 1;
    const got = [floatToBfloat(tie), floatToBfloat(neighbour(tie, -1)), floatToBfloat(neighbour(tie, 1))];
    if (got.join() !== [even, bfloat, bfloat + 1].join()) assert.fail(`around ${tie}: ${got}`);
  }
  assert.equal(floatToBfloat(3.4028234663852886e38), 0x7f80);
});

test('one number that is not finite is found wherever it stands, in halves and in floats', () => {
  const finite = everyHalf.filter((half) => Number.isFinite(halfByDefinition(half)));
  const out = new Float32Array(finite.length);
  assert.equal(widenHalves(finite, out), true);
  assert.equal(areFinite(out), true);
  for (const half of everyHalf) {
    const one = new Float32Array(3);
    const wanted = Number.isFinite(halfByDefinition(half));
    const halves = Uint16Array.of(0x3c00, half, 0x8001);
    assert.equal(widenHalves(halves, one), wanted, String(half));
    assert.equal(areFinite(one), wanted, String(half));
  }
  assert.equal(areFinite(Float32Array.of(3.4028234663852886e38, -3.4028234663852886e38, 1e-45, -0)), true);
});
