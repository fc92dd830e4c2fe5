// Counts what record-reporter.mjs wrote down, and prints what node's own summary leaves out: why tests were skipped, and
// which ones take the time.
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { say } from './console.mjs';
import { root } from './process.mjs';

/**
 * @typedef {object} TestRecord
 * @property {string} name
 * @property {string} [file]
 * @property {number} ms
 * @property {boolean} suite  a `describe` block: counted only when it is skipped as a whole
 * @property {boolean} parent  its time is that of its children
 * @property {'passed' | 'failed' | 'skipped'} result  `todo` counts as skipped
 * @property {string} reason
 */

/** Reads the records of one test run. */
export async function readRecords(path) {
  const lines = (await readFile(path, 'utf8')).split('\n').filter(Boolean);
  return lines.map((line) => /** @type {TestRecord} */ (JSON.parse(line)));
}

/** How many tests passed, failed and were skipped. */
export function count(records) {
  const counted = records.filter((record) => !record.suite || record.result === 'skipped');
  const number = (result) => counted.filter((record) => record.result === result).length;
  return { passed: number('passed'), failed: number('failed'), skipped: number('skipped') };
}

/** Prints the slowest ten tests and every skipped one with its reason. */
export function printDetails(records) {
  const timed = records.filter((record) => !record.suite && !record.parent && record.result !== 'skipped');
  const slowest = timed.sort((a, b) => b.ms - a.ms).slice(0, 10);
  say('\nSlowest tests:');
  for (const record of slowest) say(`  ${(record.ms / 1000).toFixed(2).padStart(7)} s  ${title(record)}`);
  const skipped = records.filter((record) => record.result === 'skipped');
  if (skipped.length > 0) say('\nSkipped tests:');
  for (const record of skipped) say(`  ${title(record)}: ${record.reason || 'no reason given'}`);
}

function title({ file, name }) {
  return file ? `${relative(root, file)}: ${name}` : name;
}
