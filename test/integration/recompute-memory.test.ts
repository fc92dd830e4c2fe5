/** Recomputation regions lower the peak memory of ONNX Runtime, measured on processes of their own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sourceLoader } from '../loader.ts';

const child = fileURLToPath(new URL('recompute-memory/child.ts', import.meta.url));

async function measure(...args: [network: string, recompute: 'none' | 'blocks']) {
  const options = { maxBuffer: 64e6 };
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', sourceLoader, child, ...args], options);
  return JSON.parse(stdout) as { grownMiB: number; gradient: number[] };
}

/** Without recomputation the memory grows by so many MiB at least, so that the measurement sees the values kept. */
for (const [network, least] of [
  ['chain', 40],
  ['SongUNet', 100],
  ['DhariwalUNet', 100],
] as const) {
  test(`${network}: less than two thirds of the memory, for the same gradient`, async (t) => {
    const [plain, again] = [await measure(network, 'none'), await measure(network, 'blocks')];
    t.diagnostic(`${plain.grownMiB.toFixed(1)} MiB without recomputation, ${again.grownMiB.toFixed(1)} MiB with`);
    assert.ok(plain.grownMiB > least, `only ${plain.grownMiB} MiB without recomputation`);
    assert.ok(again.grownMiB < plain.grownMiB * 0.67, `${again.grownMiB} MiB against ${plain.grownMiB} MiB`);
    assert.equal(again.gradient.length, plain.gradient.length);
    const largest = plain.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    assert.ok(largest > 0);
    const apart = plain.gradient.reduce((most, value, i) => Math.max(most, Math.abs(value - again.gradient[i]!)), 0);
    assert.ok(apart < 1e-5 * largest, `gradients differ by ${apart} of ${largest}`);
  });
}
