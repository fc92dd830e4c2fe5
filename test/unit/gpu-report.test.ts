/** `npm run gpu`: how it is called, what it makes of its steps' ends, and the report. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from '../gpu/page.ts';
import { reasonAgainst, verdictOf } from '../gpu/plan.ts';
import { nothing, type StepRecord, type StepStatus } from '../gpu/record.ts';
import { parseSettings } from '../gpu/settings.ts';
import { judge } from '../gpu/steps/cases.ts';
import { apart } from '../gpu/steps/curves.ts';
import type { Adapter } from '../gpu/vulkan.ts';

const adapter: Adapter = {
  ...{ name: 'Card & Co <3>', kind: 'discrete', driver: 'theirs, 1.2', version: '1.3.0', memory: 2 ** 33 },
  ...{ largestBuffer: 2 ** 30, buffers: 30, shared: 32768, group: 1024, halves: true },
};

function step(status: StepStatus, change: Partial<StepRecord> = {}): StepRecord {
  const about = { id: 'curves', title: 'curves', device: 'webgpu', why: '', seconds: 1, findings: nothing };
  return { ...about, status, ...change };
}

test('a call says what it does not know', () => {
  assert.deepEqual(parseSettings(['--device', 'webgpu']).devices, ['webgpu']);
  assert.equal(parseSettings(['--full']).patience, 2.5);
  assert.ok(parseSettings(['--software']).small);
  for (const wrong of [['--fast'], ['--device', 'gpu'], ['--iterations', '1'], ['--iterations', 'many'], ['word']])
    assert.throws(() => parseSettings(wrong), Error, wrong.join(' '));
});

test('software adapters are named and not taken unless asked for', () => {
  const [plain, asked] = [parseSettings([]), parseSettings(['--software'])];
  const software = { ...adapter, kind: 'cpu' as const };
  const only = { asked: true, adapters: [software] };
  assert.match(reasonAgainst('webgpu', plain, only), /only a software adapter .*Card & Co.*--software/);
  assert.equal(reasonAgainst('webgpu', asked, only), '');
  assert.equal(reasonAgainst('webgpu', plain, { asked: true, adapters: [software, adapter] }), '');
  assert.equal(reasonAgainst('webgpu', plain, { asked: true, adapters: [] }), 'no graphics card was found');
  // Where the system cannot be asked, or asking ended the process, trying tells; and CUDA has no adapters.
  assert.equal(reasonAgainst('webgpu', plain, { asked: false, adapters: [] }), '');
  assert.equal(reasonAgainst('webgpu', plain, null), '');
  assert.equal(reasonAgainst('cuda', plain, { asked: true, adapters: [] }), '');
});

test('only what should pass and did not is a failure', () => {
  const [plain, software] = [parseSettings([]), parseSettings(['--software'])];
  const absent = [step('passed', { device: '' }), step('absent'), step('absent', { device: 'cuda' })];
  assert.deepEqual(verdictOf(absent, plain), {
    ...{ ok: true, verdict: 'There is no graphics card here that could be used; nothing was tried.' },
  });
  assert.match(
    verdictOf([step('passed'), step('absent', { device: 'cuda' })], plain).verdict,
    /done on webgpu is well\.$/,
  );
  assert.deepEqual(verdictOf([step('passed'), step('failed')], plain), {
    ok: false,
    verdict: 'Not well: webgpu, curves.',
  });
  assert.equal(verdictOf([step('slow')], plain).ok, false);
  assert.deepEqual(verdictOf([step('passed', { title: 'device opened' }), step('slow')], software), {
    ...{ ok: true, verdict: 'Everything that was done on webgpu is well. There was no time to end: webgpu, curves.' },
  });
  assert.deepEqual(verdictOf([step('passed'), step('interrupted')], plain), {
    ...{ ok: true, verdict: 'Everything that was done on webgpu is well. It was interrupted.' },
  });
});

test('curves are apart by shares of the largest number, and NaN is as far as can be', () => {
  const cpu = [4, -8, 2, 1, 1, 1, 1];
  const curve = { name: 'loss', cpu, device: [4, -8, 2, 1.004, 1, 1, 1.08] };
  const found = apart(curve);
  assert.ok(Math.abs(found.first - 0.0005) < 1e-9 && Math.abs(found.ever - 0.01) < 1e-9);
  assert.deepEqual([found.at, found.scale], [7, 8]);
  assert.equal(apart({ ...curve, device: [4, Number.NaN, 2, 1, 1, 1, 1] }).ever, Infinity);
  assert.equal(apart({ name: 'still', cpu: [0, 0], device: [0, 0] }).ever, 0);
  assert.equal(apart({ name: 'still', cpu: [0, 0], device: [0, 1e-9] }).ever, Infinity);
});

test('what a device rounds in its own way is told from a miss', () => {
  const compared = { name: 'D', absolute: 1, limit: { relative: 2e-5 }, note: '' };
  const about = {
    name: 'a',
    folder: 'a',
    kind: 'k',
    error: null,
    seconds: 1,
    computed: null,
    integers: new Set<string>(),
  };
  const report = (relative: number | null) => {
    return { ...about, status: 'miss' as const, comparisons: [{ ...compared, relative, ok: false }] };
  };
  const result = (relative: number | null, tolerance: number) => judge(report(relative), tolerance).result;
  assert.equal(result(1.6e-4, 1e-3), 'within 1e-3');
  assert.deepEqual(
    [result(1.6e-4, 0), result(2e-3, 1e-3), result(Number.NaN, 1e-3), result(null, 1e-3)],
    Array(4).fill('NOT'),
  );
  assert.equal(judge({ ...report(0), comparisons: [], status: 'failed' }, 1e-3).result, 'NOT');
  assert.equal(judge({ ...report(0), comparisons: [], status: 'ok' }, 0).result, 'within its tolerance');
});

test('the page holds everything, as text, and needs nothing from elsewhere', () => {
  const table = { head: ['adapter'], rows: [[adapter.name]] };
  const curves = [{ name: 'loss', device: [3, 2, Number.NaN], cpu: [3, 2, 1] }];
  const findings = { table, curves, notes: ['a note'], failures: ['"it" is apart'] };
  const failed = step('failed', { why: '"it" is apart', findings });
  const about = { format: 1 as const, on: ['a machine'], began: 'today', options: {} };
  const html = page({ ...about, ok: false, verdict: 'Not well.', steps: [failed] });
  for (const part of [
    'Card &amp; Co &lt;3&gt;',
    '&quot;it&quot; is apart',
    'a note',
    'a machine',
    'Not well.',
    '<svg ',
  ])
    assert.ok(html.includes(part), part);
  assert.match(html, /<polyline class="device" points="[\d., ]+"/);
  assert.doesNotMatch(html, /<script|<link|src=|href=|url\(|@import|NaN|undefined/);
  assert.match(html, /prefers-color-scheme: dark/);
});
