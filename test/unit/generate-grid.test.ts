/** Grids of images: the cells of two settings, the values that are typed, and how pictures are laid out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../backend/protocol/errors.ts';
import type { Axis, AxisSetting, Form } from '../../backend/protocol/panels/generate-form.ts';
import { parseSize, sizeText } from '../../backend/protocol/panels/generate-form.ts';
import type { ModelInfo } from '../../backend/protocol/rpc/images.ts';
import { defaultForm, formOf, formOfEntry, lostSettings, settingsOf } from '../../extension/generate/form.ts';
import { cellsOf } from '../../extension/generate/grid.ts';
import { firstValues, parseValues, settingsFor } from '../../webview/generate/axis-values.ts';
import { captionHeight, frame, gap, layoutOf } from '../../webview/generate/grid-layout.ts';
import { matches } from '../../webview/generate/history-search.ts';

const student: ModelInfo = {
  ...{ model: 'words', title: 'Words', origin: 'imported', role: 'generator', imageShape: [3, 64, 64] },
  ...{ classes: [], prompt: true, guidance: null, steps: 1, samplers: [], sizeStep: 8, bytes: 1, run: null },
  ...{ teacher: 'slow', problem: '' },
};
const teacher: ModelInfo = {
  ...{ ...student, model: 'slow', title: 'Slow', role: 'teacher', guidance: 5, steps: 20, teacher: null },
  samplers: ['ddim', 'euler', 'dpm'],
};
const shapes: ModelInfo = { ...student, model: 'shapes', prompt: false, classes: ['a', 'b', 'c'], sizeStep: null };
const models = [student, teacher, shapes];
const axis = (setting: AxisSetting, ...values: string[]): Axis => ({ setting, values });
const form = (changes: Partial<Form>): Form => ({ ...defaultForm, model: 'slow', seed: 7, asGrid: true, ...changes });
const cells = (x: Axis, y: Axis | null, changes: Partial<Form> = {}) =>
  cellsOf(form({ grid: { x, y }, ...changes }), models);
const refuses = (word: RegExp, ...asked: Parameters<typeof cells>) =>
  assert.throws(
    () => cells(...asked),
    (error) => error instanceof UserError && error.kind === 'usage' && word.test(`${error.message} ${error.hint}`),
  );

test('a grid asks for one image per pair of values, row by row, everything else alike', () => {
  const made = cells(axis('steps', '5', '10', '20'), axis('guidance', '1', '7.5'), { count: 9, beside: true });
  assert.deepEqual(
    made.map(({ steps, guidance }) => [steps, guidance]),
    [1, 7.5].flatMap((guidance) => [5, 10, 20].map((steps) => [steps, guidance])),
  );
  assert.ok(made.every(({ seeds, prompt, model }) => seeds.join() === '7' && prompt === '' && model === 'slow'));
  const [alone] = cells(axis('sampler', 'dpm'), null);
  assert.equal(alone?.sampler, 'dpm');
});

test('every setting of a form can be gone through', () => {
  const one = (x: Axis, changes: Partial<Form> = {}) => cells(x, null, changes);
  assert.deepEqual(
    one(axis('seed', '1', '18446744073709551615')).map(({ seeds }) => seeds[0]),
    [1, '18446744073709551615'],
  );
  assert.deepEqual(
    one(axis('prompt', 'a', 'b')).map(({ prompt }) => prompt),
    ['a', 'b'],
  );
  assert.deepEqual(
    one(axis('negative', 'a', 'b')).map(({ negative }) => negative),
    ['a', 'b'],
  );
  assert.deepEqual(
    one(axis('size', '64', '64 x 128')).map(({ size }) => size),
    [
      [64, 64],
      [128, 64],
    ],
  );
  assert.deepEqual(
    one(axis('model', 'words', 'slow')).map(({ model, steps }) => [model, steps]),
    [
      ['words', 1],
      ['slow', 20],
    ],
  );
  assert.deepEqual(
    one(axis('class', '2', '0'), { model: 'shapes' }).map(({ classes }) => classes),
    [[2], [0]],
  );
  assert.deepEqual(
    one(axis('device', 'cpu', 'cuda')).map(({ device }) => device),
    ['cpu', 'cuda'],
  );
});

test('a grid that would show nothing is refused, and says why', () => {
  refuses(/no values of steps/, axis('steps'), null);
  refuses(/no steps of many/, axis('steps', 'many'), null);
  refuses(/no guidance of 101/, axis('guidance', '101'), null);
  refuses(/no size of 4 x 4/, axis('size', '4 x 4'), null);
  refuses(/same steps twice/, axis('steps', '5', '5'), null);
  refuses(/same setting/, axis('steps', '5'), axis('steps', '6'));
  refuses(
    /64 are the most/,
    axis('steps', ...Array.from({ length: 13 }, (_, i) => `${i + 1}`)),
    axis('seed', '1', '2', '3', '4', '5'),
  );
  refuses(/do not depend on steps/, axis('steps', '5', '6'), axis('seed', '1', '2'), { model: 'words' });
  refuses(/gone/, axis('model', 'gone'), null);
  assert.equal(
    cells(axis('steps', '5', '6'), axis('model', 'words', 'slow')).length,
    4,
    'one of the two models differs',
  );
});

test('sampler, size and a grid come back into the form; what has no place in it is named', () => {
  const original = form({
    asGrid: false,
    sampler: 'euler',
    size: [64, 96],
    decoder: '/m/taesd',
    steps: 9,
    count: 2,
    negative: 'blue',
  });
  const sides = settingsOf(original, models);
  const restored = formOf(sides, defaultForm);
  assert.deepEqual(settingsOf(restored, models), sides);
  assert.deepEqual(lostSettings(sides, restored, models), []);
  assert.equal(restored.decoder, '/m/taesd');
  assert.deepEqual([restored.locked, restored.restored], [true, true]);
  const [settings] = sides;
  const many = { ...settings!, seeds: Array.from({ length: 65 }, (_, i) => i), sampler: 'dreamy' };
  assert.deepEqual(lostSettings([many], formOf([many], defaultForm), models), ['seeds', 'sampler']);
  assert.deepEqual(lostSettings([{ ...settings!, model: 'gone' }], { ...restored, model: 'gone' }, models), ['model']);
  const grid = { x: axis('steps', '5', '10'), y: axis('guidance', '1', '2') };
  const made = cells(grid.x, grid.y).map((own) => ({ settings: own }));
  const again = formOfEntry({ sides: made as never, grid }, defaultForm);
  assert.deepEqual(cellsOf(again, models), cells(grid.x, grid.y));
});

test('values are typed as numbers and ranges, or as lines of text', () => {
  assert.deepEqual(parseValues('seed', ' 1, 4-6 ,9..10,'), ['1', '4', '5', '6', '9', '10']);
  assert.deepEqual(parseValues('guidance', '1, 2.5'), ['1', '2.5']);
  assert.deepEqual(parseValues('seed', '9-1, -3'), ['9-1', '-3'], 'no range: the host says what is wrong');
  assert.equal(parseValues('seed', '0-1000000000').length, 64);
  assert.deepEqual(parseValues('prompt', 'a disc, red\n\n a ring '), ['a disc, red', 'a ring']);
  assert.deepEqual(parseSize(' 96X64 '), [64, 96]);
  assert.deepEqual(parseSize('64'), [64, 64]);
  for (const none of ['', '0', '64 x', '99999', '64 by 64']) assert.equal(parseSize(none), null, none);
  assert.equal(sizeText([64, 96]), '96 x 64');
});

test('a model offers what makes a difference to it, with values that its grid accepts', () => {
  const devices = ['cpu', 'cuda'];
  assert.deepEqual(settingsFor(student, models, devices), ['seed', 'prompt', 'size', 'model', 'device']);
  assert.deepEqual(settingsFor(shapes, [shapes], ['cpu']), ['seed', 'class']);
  for (const info of models) {
    const own = form({ model: info.model, prompt: 'a', negative: 'b' });
    for (const setting of settingsFor(info, models, devices)) {
      const values = firstValues(setting, own, info, models);
      if (setting === 'device') continue; // the person chooses
      assert.doesNotThrow(
        () => cellsOf({ ...own, grid: { x: { setting, values }, y: null } }, models),
        `${info.model} ${setting}`,
      );
    }
  }
});

test('pictures use the room they have, in even columns where that costs little, and whole pixels', () => {
  const natural = { width: 32, height: 32 };
  const nine = layoutOf(9, natural, { width: 950, height: 640 });
  assert.equal(nine.columns, 3);
  assert.ok(nine.size >= 160 && nine.size % 32 === 0, `${nine.size}`);
  for (const [count, width] of [
    [1, 300],
    [2, 640],
    [4, 500],
    [9, 420],
    [16, 1500],
    [64, 900],
  ] as const) {
    const { columns, size } = layoutOf(count, natural, { width, height: 500 });
    assert.ok(columns * (size + frame) + (columns - 1) * gap <= width, `${count} in ${width}: ${columns} of ${size}`);
  }
  assert.equal(layoutOf(6, natural, { width: 900, height: 600 }, 2).columns, 2, 'as a grid says');
  const photo = layoutOf(1, { width: 512, height: 512 }, { width: 400, height: 300 });
  assert.ok(photo.size <= 300 - captionHeight, 'what is larger than the room is made smaller');
});

test('a search finds prompts, models, classes and seeds, every word of it', () => {
  const settings = { ...settingsOf(form({ asGrid: false, count: 2 }), models)[0]!, prompt: 'A Red disc' };
  const images = [7, 8].map((seed) => ({ seed, class: null, className: 'star' }));
  const entry = { sides: [{ settings, title: 'Slow teacher', device: 'cpu', images }] } as never;
  for (const found of ['', 'red', 'disc RED', 'slow', 'star', '8', ' cpu  red '])
    assert.ok(matches(entry, found), found);
  for (const other of ['blue', 'red blue', '9']) assert.ok(!matches(entry, other), other);
});
