/**
 * Random draws of tests: other ones in every run, and the same ones again with `DMD_TEST_SEED`, which a file prints when one of
 * its tests fails. A file draws in the order of its tests, so repeat all of it.
 */
import { randomInt } from 'node:crypto';
import { stream } from '../backend/random/stream.ts';

/** Whole, for a stream of one's own; one for each process. */
export const testSeed = Number(process.env.DMD_TEST_SEED ?? randomInt(2 ** 31));

const draws = stream(testSeed, 'test');

/** Uniform in [0, 1). */
export const uniform = (): number => draws.rand(1)[0]!;

/** A whole number from 0 to `end` - 1, `end` at most 2^31. */
export const randomBelow = (end: number): number => draws.randint(0, end, 1)[0]!;

process.once('exit', () => {
  if (process.exitCode) console.error(`The random draws of this file come again with DMD_TEST_SEED=${testSeed}`);
});
