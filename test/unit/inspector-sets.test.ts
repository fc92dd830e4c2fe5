/** What the inspector's page shows of two states of a text model: every kind of picture that can be compared, and the strips. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Inspection } from '../../backend/protocol/inspection.ts';
import { stream } from '../../backend/random/stream.ts';
import { testSeed } from '../random.ts';

interface ScoreSet {
  title: string;
  fields: { id: string; kind: string; picture: { channels: number; data: Float32Array } }[];
}
/** Its types are a browser's. */
interface Sets {
  setsOf(texts: object, inspection: Inspection, title: string, stepSize: number): ScoreSet[];
  setDifferences(title: string, first: ScoreSet[], second: ScoreSet[]): ScoreSet[];
  stripDifference(first: Inspection, second: Inspection): Inspection;
}
const sets: Sets = await import(new URL('../../webview/inspector/sets.ts', import.meta.url).href);

/** Every text is its own name. */
const texts = new Proxy({}, { get: (_, name) => String(name) });
const [channels, side] = [4, 2];

function inspection(step: number): Inspection {
  const draw = (name: string, shape: number[]) => ({
    ...{ name, shape },
    data: stream(testSeed, name, step).randn(shape.reduce((product, length) => product * length, 1)),
  });
  const latent = [channels, side, side];
  const level = { index: 3, alpha: 0.8, sigma: 0.6, timestep: 3 };
  return {
    ...{ step, class: null, prompt: 'a garment', level, levels: [level, { ...level, index: 5 }], notes: [] },
    tensors: [
      ...['x', 'xt', 'muReal', 'muFake', 'grad', 'stepped', 'muConditional'].map((name) => draw(name, latent)),
      ...['x', 'muReal', 'muFake', 'stepped'].map((name) => draw(`decoded/${name}`, [3, 4 * side, 4 * side])),
      ...[draw('weight', [1]), draw('projection', [3, channels + 1])],
    ],
    strip: [...['xt', 'muReal', 'muFake', 'grad'].map((name) => draw(name, [2, ...latent])), draw('weight', [2])],
  };
}

test('two states of a text model differ in decoded pictures and in latents, field by field', () => {
  const [before, after] = [inspection(3), inspection(6)];
  const [first, second] = [before, after].map((one) => sets.setsOf(texts, one, `step ${one.step}`, 0.1));
  const found = sets.setDifferences('6 minus 3', first!, second!);
  assert.deepEqual(
    found.map(({ title }) => title),
    ['6 minus 3 · pictures', '6 minus 3 · latents'],
  );
  const [decoded, latents] = found;
  assert.deepEqual(
    decoded!.fields.map(({ id, kind }) => [id, kind]),
    ['x', 'muReal', 'muFake', 'stepped'].map((name) => [`decoded-${name}`, 'signed']),
  );
  const of = (one: Inspection, name: string) => one.tensors.find((tensor) => tensor.name === name)!.data;
  for (const [set, prefix, name] of [
    [decoded!, 'decoded/', 'decoded-'],
    [latents!, '', ''],
  ] as const) {
    for (const field of ['x', 'muReal', 'stepped']) {
      const { data } = set.fields.find(({ id }) => id === `${name}${field}`)!.picture;
      const [from, to] = [of(before, `${prefix}${field}`), of(after, `${prefix}${field}`)];
      data.forEach((value, i) => {
        assert.equal(value, Math.fround(to[i]! - from[i]!));
      });
    }
  }
});

test('a strip of the difference has every level of both', () => {
  const [before, after] = [inspection(3), inspection(6)];
  const { strip, levels } = sets.stripDifference(before, after);
  assert.deepEqual(levels, after.levels);
  assert.equal(strip.length, after.strip.length);
  for (const [k, { data }] of strip.entries()) {
    data.forEach((value, i) => {
      assert.equal(value, Math.fround(after.strip[k]!.data[i]! - before.strip[k]!.data[i]!));
    });
  }
});
