/** Prints some draws; then its test fails or passes, as the argument says. For random.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomBelow, testSeed, uniform } from '../../random.ts';

test('draws', () => {
  console.log(`drawn: ${[testSeed, uniform(), randomBelow(2 ** 31), uniform(), randomBelow(3)]}`);
  assert.equal(process.argv[2], 'passes');
});
