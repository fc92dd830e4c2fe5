/** From the generate panel's form to requests, and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../backend/protocol/errors.ts';
import type { ModelInfo } from '../../backend/protocol/rpc/images.ts';
import { defaultForm, formOf, settingsOf, settingsOfImage } from '../../extension/generate/form.ts';

const info = (changes: Partial<ModelInfo>): ModelInfo => ({
  ...{ model: 'g', title: 'G', origin: 'imported', role: 'generator', imageShape: [3, 8, 8], classes: ['a', 'b', 'c'] },
  ...{
    prompt: false,
    guidance: null,
    steps: 1,
    samplers: [],
    sizeStep: null,
    bytes: 1,
    run: null,
    teacher: 't',
    problem: '',
  },
  ...changes,
});
const models = [
  info({}),
  info({ model: 't', title: 'T', role: 'teacher', steps: 18, teacher: null }),
  info({ model: 'plain', classes: [], teacher: null }),
  info({ model: 'words', prompt: true }),
  info({ model: 'guided', prompt: true, guidance: 7.5, role: 'teacher', steps: 50 }),
  info({ model: 'broken', problem: 'cut off' }),
];
const form = { ...defaultForm, model: 'g' };
const refuses = (changes: Partial<typeof form>, word: string) =>
  assert.throws(
    () => settingsOf({ ...form, ...changes }, models),
    (error) => error instanceof UserError && `${error.message} ${error.hint}`.includes(word),
  );

test('seeds count up and start again after the last', () => {
  const [settings] = settingsOf({ ...form, seed: 2 ** 32 - 2, count: 4 }, models);
  assert.deepEqual(settings?.seeds, [2 ** 32 - 2, 2 ** 32 - 1, 0, 1]);
  const [below] = settingsOf({ ...form, seed: -2, count: 4 }, models);
  assert.deepEqual(below?.seeds, [-2, -1, 0, 1]);
  const [last] = settingsOf({ ...form, seed: '18446744073709551614', count: 3 }, models);
  assert.deepEqual(last?.seeds, ['18446744073709551614', '18446744073709551615', 0]);
});

test('a class is one for all, one after the other, or left open; a model without classes gets none', () => {
  const classes = (chosen: typeof form.class, model = 'g') =>
    settingsOf({ ...form, model, class: chosen, count: 5 }, models)[0]?.classes;
  assert.deepEqual(classes(2), [2]);
  assert.deepEqual(classes('each'), [0, 1, 2, 0, 1]);
  assert.equal(classes('seed'), null);
  assert.equal(classes('each', 'plain'), null);
  assert.deepEqual(classes(7), [2], 'a class of another model');
});

test('a prompt goes only to a model that takes one', () => {
  assert.equal(settingsOf({ ...form, prompt: 'a disc' }, models)[0]?.prompt, null);
  assert.equal(settingsOf({ ...form, model: 'words', prompt: 'a disc' }, models)[0]?.prompt, 'a disc');
  assert.equal(
    settingsOf({ ...form, model: 'words', prompt: '' }, models)[0]?.prompt,
    '',
    'an empty prompt is one too',
  );
});

test('side by side asks both for the same seeds and classes, the teacher in its steps', () => {
  const [student, teacher] = settingsOf({ ...form, beside: true, class: 'each' }, models);
  assert.deepEqual([student?.model, teacher?.model], ['g', 't']);
  assert.deepEqual([student?.steps, teacher?.steps], [1, 18]);
  assert.deepEqual(teacher?.seeds, student?.seeds);
  assert.deepEqual(teacher?.classes, student?.classes);
  assert.equal(settingsOf({ ...form, beside: true, steps: 40 }, models)[1]?.steps, 40);
  assert.equal(settingsOf({ ...form, steps: 40 }, models)[0]?.steps, 1, 'a generator takes one step');
});

test('what is missing is named', () => {
  refuses({ model: 'gone' }, 'gone');
  refuses({ model: 'broken' }, 'cut off');
  refuses({ model: 'plain', beside: true }, 'Compare with');
  refuses({ beside: true, other: 'plain' }, 'other images');
});

test('settings come back into the form that makes the same images', () => {
  const originals = [
    { ...form, seed: 5, class: 1, count: 3 },
    { ...form, beside: true, class: 'seed' as const, count: 2 },
    { ...form, model: 't', steps: 7, class: 'each' as const },
    { ...form, beside: true, steps: 40 },
  ];
  for (const original of originals) {
    const sides = settingsOf(original, models);
    const restored = formOf(sides, { ...defaultForm, locked: false });
    assert.equal(restored.locked, true);
    assert.deepEqual(settingsOf(restored, models), sides);
  }
  const [all] = settingsOf({ ...form, class: 'each', count: 3, seed: 10 }, models);
  const [one] = settingsOf(formOf([settingsOfImage(all!, 2)], form), models);
  assert.deepEqual([one?.seeds, one?.classes], [[12], [2]]);
});
