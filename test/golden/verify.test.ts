/** `dmd verify` on every recorded case, and on cases that were tampered with. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Output } from '../../backend/cli/output.ts';
import { verifyCases } from '../../backend/cli/verify/verify.ts';
import { ways } from '../../backend/engine/onnxruntime/engine.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { readSafetensors, writeSafetensors } from '../../backend/weights/safetensors.ts';

const cases = fileURLToPath(new URL('cases', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'dmd-verify-'));
after(() => rmSync(folder, { recursive: true }));

interface CaseEvent {
  case: string;
  status: string;
  error: string | null;
  arrays: { name: string; ok: boolean; absolute: number | string | null; note: string }[];
}

/** Exit code and events of one call. */
async function verify(paths: string[], dump?: string) {
  const events: Record<string, unknown>[] = [];
  const output: Output = {
    json: true,
    line: () => {},
    event: (event, fields) => events.push(JSON.parse(JSON.stringify({ event, ...fields }))),
  };
  const code = await verifyCases(paths, { device: 'cpu', threads: 2, ...(dump ? { dump } : {}) }, output);
  const found = events.filter(({ event }) => event === 'case') as unknown as CaseEvent[];
  return { code, cases: found, summary: events.at(-1)! };
}

interface CaseJson {
  kind: string;
  config: Record<string, unknown>;
  arrays: Record<string, Record<string, unknown>>;
  scalars: Record<string, { value: number }>;
}
type Tensors = Map<string, { data: ArrayLike<number | bigint> }>;

let copies = 0;
/** A copy of a case with changes to its case.json and its arrays. */
async function tampered(name: string, change: (json: CaseJson, arrays: Tensors) => void): Promise<string> {
  const copy = join(folder, `${name}-${copies++}`);
  cpSync(join(cases, name), copy, { recursive: true });
  const json = JSON.parse(readFileSync(join(copy, 'case.json'), 'utf8')) as CaseJson;
  const io = await readSafetensors(join(copy, 'io.safetensors'));
  change(json, io.tensors);
  writeFileSync(join(copy, 'case.json'), JSON.stringify(json));
  await writeSafetensors(join(copy, 'io.safetensors'), io.tensors);
  return copy;
}

const small = 'edm-eps-songunet';
const missed = ({ arrays }: CaseEvent) => arrays.filter(({ ok }) => !ok).map(({ name }) => name);

test('every recorded case passes, and its arrays are dumped under their names', async () => {
  const dump = join(folder, 'dump');
  const { code, cases: found, summary } = await verify([cases], dump);
  for (const one of found) assert.equal(one.status, 'ok', `${one.case}: ${one.error ?? missed(one).join(', ')}`);
  assert.equal(code, 0);
  assert.equal(summary.ok, found.length);
  const kinds = new Set((found as unknown as { kind: string }[]).map(({ kind }) => kind));
  assert.deepEqual([...kinds].sort(), [
    'dmd-trajectory',
    'dmd2-edm-guidance',
    'edm-precond-forward',
    'edm-sampler',
    'fid-inception-features',
    'frechet-distance',
    'lpips-vgg',
    'pickles',
    'precond-forward',
    'sd-guidance-formula',
  ]);
  for (const name of ['precond-iddpm', 'dmd-trajectory', small]) {
    const { arrays } = JSON.parse(readFileSync(join(cases, name, 'case.json'), 'utf8')) as CaseJson;
    const expected = Object.entries(arrays).flatMap(([key, { role }]) => (role === 'expected' ? [key] : []));
    const dumped = await readSafetensors(join(dump, name, 'arrays.safetensors'));
    const recorded = await readSafetensors(join(cases, name, 'io.safetensors'));
    assert.deepEqual([...dumped.tensors.keys()].sort(), expected.sort());
    for (const [key, { dtype, shape }] of dumped.tensors) {
      assert.deepEqual(
        { dtype, shape },
        { dtype: recorded.tensors.get(key)!.dtype, shape: recorded.tensors.get(key)!.shape },
      );
    }
  }
});

test("recorded iterations pass on either way into ONNX Runtime, the C API and the package's own binding", async (t) => {
  const { DMD_ONNX_RUNTIME: before = '' } = process.env;
  t.after(() => {
    process.env.DMD_ONNX_RUNTIME = before;
  });
  for (const way of ways) {
    process.env.DMD_ONNX_RUNTIME = way;
    const { code, cases: found } = await verify([join(cases, 'dmd-trajectory'), join(cases, small)]);
    assert.deepEqual([code, ...found.map(({ status }) => status)], [0, 'ok', 'ok'], way);
  }
});

test('one expected number off by more than the tolerance is a miss of that array alone', async () => {
  const path = await tampered(small, (_, arrays) => {
    const data = arrays.get('grad_x')!.data as Float32Array;
    const largest = Math.max(...data.map(Math.abs));
    data[17] += 2e-5 * largest;
  });
  const {
    code,
    cases: [report],
  } = await verify([path]);
  assert.equal(code, 1);
  assert.deepEqual(missed(report), ['grad_x']);
});

test('a number that is not one, a wrong scalar and an array nobody can compute are misses', async () => {
  const path = await tampered('precond-ve', (json, arrays) => {
    (arrays.get('D')!.data as Float32Array)[3] = Number.NaN;
    json.scalars.sigma_max.value *= 1.001;
    json.arrays.x_again = { role: 'expected', shape: json.arrays.x.shape, tolerance: 1 };
    arrays.set('x_again', arrays.get('x')!);
  });
  const {
    code,
    cases: [report],
  } = await verify([path]);
  assert.equal(code, 1);
  assert.deepEqual(missed(report).sort(), ['D', 'sigma_max', 'x_again']);
  assert.equal(report.arrays.find(({ name }) => name === 'D')!.absolute, 'NaN');
});

test('a case that is not what it says is damaged: exit 3, and the others are checked', async () => {
  const without = await tampered(small, (_, arrays) => arrays.delete('D'));
  const shape = await tampered(small, (json) => {
    json.arrays.g.shape = [4, 3, 8, 9];
  });
  const width = await tampered(small, (json) => {
    json.config.model_channels = 16;
  });
  const option = await tampered(small, (json) => {
    json.config.no_such_option = 1;
  });
  const truncated = await tampered(small, () => {});
  const weights = join(truncated, 'weights.safetensors');
  writeFileSync(weights, readFileSync(weights).subarray(0, -40));
  const text = await tampered(small, () => {});
  writeFileSync(join(text, 'case.json'), '{"kind": ');
  const { code, cases: found } = await verify([
    without,
    shape,
    width,
    option,
    truncated,
    text,
    join(cases, 'precond-vp'),
  ]);
  assert.equal(code, 3);
  assert.deepEqual(
    found.map(({ status }) => status),
    [...Array(6).fill('damaged'), 'ok'],
  );
  const parts = ["'D'", "'g'", 'of another shape', 'no_such_option', 'weights.safetensors', 'case.json'];
  parts.forEach((part, i) => {
    assert.ok(found[i].error?.includes(part), `${part}: ${found[i].error}`);
  });
});

test('unknown kinds are named and do not fail the others; nothing checked is no success', async () => {
  const unknown = await tampered(small, (json) => {
    json.kind = 'some-new-kind';
  });
  const note = join(folder, 'README.md');
  writeFileSync(note, 'a plain file beside the cases');
  const both = await verify([unknown, note, join(cases, 'precond-vp')]);
  assert.equal(both.code, 0);
  assert.deepEqual(
    [both.summary.unknown, both.summary.unknownKinds, both.summary.notCases],
    [1, ['some-new-kind'], [note]],
  );
  assert.equal((await verify([unknown])).code, 3);
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  assert.equal((await verify([empty])).code, 3);
  const isUsage = (error: unknown) => error instanceof UserError && error.kind === 'usage';
  await assert.rejects(verify([join(folder, 'nothing-here')]), isUsage);
  await assert.rejects(verify([unknown, unknown], join(folder, 'twice')), isUsage);
});

test('a hostile file that is read, and a good one that is refused or differs, are misses', async () => {
  const path = await tampered('pickles', () => {});
  cpSync(join(path, 'state-zip.bin'), join(path, 'evil-system.pkl'));
  cpSync(join(path, 'evil-truncated.pkl'), join(path, 'network-snapshot-full.pkl'));
  const expected = await readSafetensors(join(path, 'state.expected.safetensors'));
  (expected.tensors.get('f32')!.data as Float32Array)[2] += 1e-6;
  await writeSafetensors(join(path, 'state.expected.safetensors'), expected.tensors);
  const {
    code,
    cases: [report],
  } = await verify([path]);
  assert.equal(code, 1);
  assert.deepEqual(missed(report), [
    'network-snapshot-full.pkl',
    'state-zip.bin',
    'state-legacy.bin',
    'checkpoint-zip.bin',
    'evil-system.pkl: refused',
  ]);
});
