/** The generate panel's page in a browser: what a person sees, presses and hears, against a host that answers from memory. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { Entry, Form } from '../../backend/protocol/panels/generate.ts';
import { until } from '../e2e/driver/until.ts';
import {
  besideEntry,
  entryOf,
  FakeHost,
  launchBrowser,
  model,
  picture,
  side,
  teacher,
  view,
} from './generate/fake-host.ts';
import { noBrowser, type PanelOptions } from './harness.ts';
import { type ThemeName, themes } from './themes.ts';

const entry = (id: string, images: number, seed = 42): Entry => {
  return entryOf(id, [side(images, {}, seed)]);
};
const names = ['dark', 'light', 'high-contrast', 'high-contrast-light'] as const satisfies readonly ThemeName[];

describe('the generate panel', { skip: noBrowser }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  async function open(current = view(), options: Partial<PanelOptions> = {}) {
    const host = new FakeHost(current);
    await host.open(browser, options);
    const { page } = host.panel;
    await page.locator('#generate').waitFor();
    await host.saw('generate/view');
    const close = async () => {
      assert.deepEqual(host.panel.problems, [], 'errors of the page, or what its policy refused');
      await host.panel.close();
    };
    return { host, page, close };
  }

  test('the form sends what was chosen, and Enter in a field generates', async () => {
    const { host, page, close } = await open();
    await page.locator('#class').selectOption({ label: '4 star' });
    await page.locator('#seed input').fill('7');
    await page.locator('#count input').fill('9');
    // Who types a seed means it.
    await page.getByRole('checkbox', { name: 'Keep this seed', checked: true }).waitFor();
    await page.locator('#count input').press('Enter');
    const { params } = await host.saw('generate/start');
    const wanted: Partial<Form> = { model: 'builtin:scenes', class: 4, seed: 7, count: 9, locked: true, steps: null };
    assert.deepEqual({ ...(params.form as Form), ...wanted }, params.form);
    assert.equal(params.keep, false);
    await host.saw('generate/form', ({ form }) => (form as Form).seed === 7 && (form as Form).count === 9);
    await close();
  });

  test('a number that is none is marked and not taken', async () => {
    const { host, page, close } = await open();
    await page.locator('#seed input').fill('18446744073709551616');
    assert.equal(await page.locator('#seed').getAttribute('aria-invalid'), 'true');
    await page.locator('#count input').fill('3');
    const { params } = await host.saw('generate/form', ({ form }) => (form as Form).count === 3);
    assert.equal((params.form as Form).seed, 42, 'the last good one');
    await close();
  });

  test('a text model of one step draws while one types; guidance only where a model is guided', async () => {
    const words = model({ model: '/m/words', title: 'Words', prompt: true, classes: [], imageShape: [3, 64, 64] });
    const guided = model({ ...words, model: '/m/guided', title: 'Guided', guidance: 7.5, steps: 50, role: 'teacher' });
    const { host, page, close } = await open(view({ models: [words, guided], prompts: ['a blue ring', 'a red disc'] }));
    let drawn = 0;
    host.answers['generate/live'] = ({ prompt }) => {
      drawn++;
      const notes = String(prompt).includes('dragon') ? ['"dragon" is new to this model'] : [];
      return { live: drawn, png: picture(drawn), width: 64, height: 64, millisecondsPerImage: 20, notes };
    };
    await host.change({ form: { ...host.current.form, model: '/m/words' }, formVersion: 1 });
    const visible = () => Promise.all(['#negative', '#guidance', '#live'].map((id) => page.locator(id).isVisible()));

    await page.locator('#live').waitFor();
    assert.deepEqual(await visible(), [false, false, true]);
    const live = page.locator('section.live');
    await page.locator('#prompt textarea').fill('a red disc');
    await host.saw('generate/form', ({ form }) => (form as Form).prompt === 'a red disc');
    assert.equal(drawn, 0, 'not before it is asked for');
    await page.locator('#live').click();
    await live.locator('img[alt="a red disc"]').waitFor();
    await page.locator('#prompt textarea').fill('a green dragon');
    await live.locator('img[alt="a green dragon"]').waitFor();
    await live.getByText('"dragon" is new to this model').waitFor();
    await page.locator('select#recent').selectOption('a blue ring');
    await live.locator('img[alt="a blue ring"]').waitFor();
    assert.equal(await page.locator('#prompt textarea').inputValue(), 'a blue ring');
    await page.locator('select#model').selectOption('/m/guided');
    assert.deepEqual(await visible(), [true, true, false]);
    assert.equal(await live.isVisible(), false, 'many steps do not follow the typing');
    await page.locator('#guidance input').fill('4.5');
    await host.saw('generate/form', ({ form }) => (form as Form).guidance === 4.5);
    await close();
  });

  test('steps, prompt and classes show only where the model has them', async () => {
    const words = model({ model: '/m/words', title: 'Words', prompt: true, classes: [] });
    const { page, close } = await open(view({ models: [model(), teacher, words] }));
    const visible = async () =>
      Promise.all(['#class', '#steps', '#prompt', '#other'].map((id) => page.locator(id).isVisible()));
    assert.deepEqual(await visible(), [true, false, false, false]);
    await page.locator('#model').selectOption('builtin:scenes/teacher');
    assert.deepEqual(await visible(), [true, true, false, false]);
    await page.locator('#model').selectOption('/m/words');
    assert.deepEqual(await visible(), [false, false, true, false]);
    await page.getByRole('checkbox', { name: 'Side by side with' }).click();
    assert.deepEqual(await visible(), [false, true, true, true]);
    await close();
  });

  test("what the person types is not overwritten by news, the host's own change is taken", async () => {
    const { host, page, close } = await open();
    await page.locator('#seed input').fill('123');
    await host.change({ document: 'notes.md' });
    assert.equal(await page.locator('#seed input').inputValue(), '123');
    await host.change({ form: { ...view().form, seed: 5, beside: true, class: 3 }, formVersion: 1, formHeard: 1 });
    await page.locator('#other').waitFor({ state: 'visible' });
    // The toolkit's fields show what they are given a frame later.
    await until('the seed of the host', async () => (await page.locator('#seed input').inputValue()) === '5');
    assert.equal(await page.locator('#class').inputValue(), '3');
    await close();
  });

  test('what is typed while the host changes the form stays, and the host is told', async () => {
    const { host, page, close } = await open();
    await page.locator('#count input').fill('3');
    const { params } = await host.saw('generate/form', ({ form }) => (form as Form).count === 3);
    // The host changes the seed and has heard of the three images; the seven are still on their way.
    await page.locator('#count input').fill('7');
    await host.saw('generate/form', ({ form }) => (form as Form).count === 7);
    const form = { ...view().form, count: 3, seed: 5 };
    await host.change({ form, formVersion: 1, formHeard: params.change as number });
    const told = await host.saw(
      'generate/form',
      ({ form: now }) => (now as Form).count === 7 && (now as Form).seed === 5,
    );
    await until('the seed of the host', async () => (await page.locator('#seed input').inputValue()) === '5');
    assert.equal(await page.locator('#count input').inputValue(), '7');
    // What it has heard of is its own to change.
    await host.change({ form, formVersion: 2, formHeard: told.params.change as number });
    await until('the images of the host', async () => (await page.locator('#count input').inputValue()) === '3');
    await close();
  });

  test('what is ready is shown and said; two models stand side by side with the ratio', async () => {
    const { host, page, close } = await open();
    await page.getByText('No images yet').waitFor();
    await host.change({ history: [besideEntry('new', 4)] });
    await host.notify('generate/finished', { entry: 'new', spoken: '4 images ready, 12 ms each' });
    await page.getByRole('status').filter({ hasText: '4 images ready, 12 ms each' }).waitFor({ state: 'attached' });
    await page.getByText('21 times faster').waitFor();
    assert.equal(await page.locator('.side').count(), 2);
    assert.equal(await page.locator('.picture').count(), 8);
    const drawn = await page.evaluate(
      `Promise.all([...document.querySelectorAll('.picture img')].map((image) => image.decode().then(() => image.naturalWidth)))`,
    );
    assert.deepEqual(drawn, Array(8).fill(32));
    await page.getByRole('button', { name: 'ring, seed 43' }).first().waitFor();
    assert.equal(await page.getByText('No images yet').count(), 0);
    await close();
  });

  test('arrow keys go through the pictures; the toolbar acts on the one selected', async () => {
    const { host, page, close } = await open(view({ history: [entry('a', 4)], document: 'notes.md' }));
    await page.locator('.picture').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    assert.equal(await page.locator('.picture[aria-pressed="true"]').getAttribute('aria-label'), 'triangle, seed 45');
    assert.equal(await page.locator('.picture[tabindex="0"]').count(), 1);
    host.answers['generate/insert'] = () => 'images/x.png';
    await page.getByRole('button', { name: 'Insert into notes.md' }).click();
    const { params } = await host.saw('generate/insert');
    assert.deepEqual(params, { entry: 'a', side: 0, image: 3 });
    await page.getByText('Inserted as images/x.png.').waitFor();
    host.answers['generate/save'] = () => 1;
    await page.locator('#save').click();
    assert.equal((await host.saw('generate/save')).params.image, 3);
    await page.locator('#restoreImage').click();
    assert.deepEqual((await host.saw('generate/restore')).params, { entry: 'a', side: 0, image: 3 });
    await page.getByText('The form has its settings now.').waitFor();
    host.answers['generate/restore'] = () => ({ lost: ['seeds', 'sampler'] });
    await page.getByRole('button', { name: 'Use Settings of All 4' }).click();
    assert.deepEqual((await host.saw('generate/restore', ({ image }) => image === undefined)).params, {
      ...{ entry: 'a', side: 0 },
    });
    await page.getByText('The form has its settings now, but not these: Images, Sampler.').waitFor();
    await close();
  });

  test('a hidden panel comes back with the same pictures and the same one selected', async () => {
    const history = [entry('b', 2, 10), entry('a', 4)];
    const { host, page, close } = await open(view({ history }));
    await page.locator('.thumbnail').nth(1).click();
    await page.getByRole('button', { name: 'square, seed 44' }).click();
    const state = host.panel.state();
    await close();
    const again = await open(view({ history }), { state });
    await again.page.getByRole('button', { name: 'square, seed 44', pressed: true }).waitFor();
    assert.equal(await again.page.locator('.thumbnail[aria-current="true"]').count(), 1);
    await again.close();
    const wrong = await open(view({ history }), { state: { shown: 7 } });
    await wrong.page
      .getByRole('button', { name: /seed 10/ })
      .first()
      .waitFor();
    await wrong.close();
  });

  test('a deleted generation can be brought back', async () => {
    const { host, page, close } = await open(view({ history: [entry('b', 1, 10), entry('a', 1)] }));
    host.answers['generate/delete'] = ({ entry: id }) => {
      void host.change({ history: host.current.history.filter((one) => one.id !== id) });
      return null;
    };
    await page.locator('.thumbnail').first().focus();
    await page.keyboard.press('Delete');
    assert.equal((await host.saw('generate/delete')).params.entry, 'b');
    await page
      .getByRole('button', { name: /seed 42/ })
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await host.saw('generate/undoDelete');
    await close();
  });

  test('the queue shows how far each is and stops the one asked for', async () => {
    const { host, page, close } = await open();
    const job = { id: 'x', title: 'Scenes, teacher', label: 'Generating', done: 3, total: 8 };
    const later = { id: 'y', title: 'Scenes', label: 'Waiting', done: 0, total: 4 };
    const jobs = (done: number, preview: Uint8Array | null) => ({
      jobs: [
        { ...job, done, waiting: false, preview },
        { ...later, waiting: true, preview: null },
      ],
    });
    await host.notify('generate/jobs', jobs(3, null));
    await page.getByText('Generating: 3 of 8').waitFor();
    assert.equal(await page.getByAltText('The image so far').first().isVisible(), false);
    const stop = page.getByRole('button', { name: 'Cancel: Scenes, teacher' });
    await host.notify('generate/jobs', jobs(4.4, picture(1)));
    await page.getByText('Generating: 4 of 8').waitFor();
    await page.getByAltText('The image so far').first().waitFor();
    await stop.click();
    assert.equal((await host.saw('generate/cancel')).params.job, 'x');
    await host.notify('generate/jobs', { jobs: [] });
    await page.locator('.queue').waitFor({ state: 'hidden' });
    await close();
  });

  test('errors say what happened and what to do, and go when they are dismissed', async () => {
    const { host, page, close } = await open();
    host.answers['generate/start'] = () => {
      throw { kind: 'device', message: 'The device cuda is not available', hint: 'Choose another.' };
    };
    await page.locator('#generate').click();
    const alert = page.getByRole('alert').filter({ hasText: 'cuda is not available. Choose another.' });
    await alert.waitFor();
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await alert.waitFor({ state: 'detached' });
    await host.notify('generate/failed', { message: 'out of memory' });
    await page.getByRole('alert').filter({ hasText: 'out of memory.' }).waitFor();
    await close();
  });

  test('without models it says why and asks again; a model that is gone is named', async () => {
    const { host, page, close } = await open(view({ state: 'failed', problem: 'No Node was found.', models: [] }));
    await page.getByText('No Node was found.').waitFor();
    assert.equal(await page.locator('#generate').getAttribute('disabled'), '');
    await page.getByRole('button', { name: 'Try Again' }).click();
    await host.saw('generate/reload');
    const form = { ...view().form, model: '/gone/model.onnx' };
    await host.change({ ...view(), form, formVersion: 3 });
    await page.getByRole('alert').filter({ hasText: '/gone/model.onnx is not here' }).waitFor();
    assert.equal(await page.locator('#generate').getAttribute('disabled'), '');
    await close();
  });

  test('a PNG that is dropped is handed over as it is', async () => {
    const { host, page, close } = await open();
    host.answers['generate/restorePng'] = () => ({ lost: [] });
    const bytes = picture(3);
    await page.evaluate(`{
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([Uint8Array.of(${bytes.join()})], 'x.png', { type: 'image/png' }));
      window.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
    }`);
    const { params } = await host.saw('generate/restorePng');
    assert.deepEqual(params.png, bytes);
    await page.getByText('The form has its settings now.').waitFor();
    await close();
  });

  test('the keyboard reaches everything, from the form to the history', async () => {
    const { page, close } = await open(view({ history: [entry('b', 4), entry('a', 1)], document: 'notes.md' }));
    await page.locator('.picture').first().waitFor();
    const reached: string[] = [];
    for (let i = 0; i < 30 && reached.at(-1) !== 'history'; i++) {
      await page.keyboard.press('Tab');
      const at: string = await page.evaluate(`(({ activeElement: at }) =>
        at.closest('.history') ? 'history' : at.closest('.picture') ? 'picture' : at.closest('.seed') ? 'use seed'
          : at.localName === 'summary' ? 'settings' : at.id)(document)`);
      reached.push(at);
    }
    const order = ['model', 'class', 'generate', 'settings', 'seed', 'random', 'locked', 'count', 'device', 'beside'];
    const actions = ['zoom', 'compare', 'keep', 'save', 'copy', 'insert', 'restoreImage'];
    const whole = ['saveAll', 'restore', 'favourite', 'delete', 'picture', 'use seed', 'history'];
    assert.deepEqual(reached, [...order, 'asGrid', 'open', ...actions, ...whole]);
    await close();
  });

  test('nine images stand in three even columns and use the room there is', async () => {
    for (const [width, least] of [
      [1280, 0.5],
      [1000, 0.6],
    ] as const) {
      const { page, close } = await open(view({ history: [entry('a', 9)] }), { width, height: 900 });
      await page.locator('.picture img').nth(8).waitFor();
      const places: [left: number, top: number, right: number][] = await page.evaluate(
        `[...document.querySelectorAll('.picture')].map((node) => node.getBoundingClientRect())
          .map(({ left, top, right }) => [left, top, right].map(Math.round))`,
      );
      const distinct = (index: number) => new Set(places.map((place) => place[index])).size;
      assert.deepEqual([distinct(0), distinct(1)], [3, 3], 'columns and rows');
      const room: number = await page.evaluate(`document.querySelector('.sides').clientWidth`);
      const used = Math.max(...places.map(([, , right]) => right)) - Math.min(...places.map(([left]) => left));
      assert.ok(used / room > least, `${used} of ${room} pixels at ${width}`);
      await close();
    }
  });

  test('while the image is live there is one picture, which can be saved and copied; Generate keeps its seed', async () => {
    const words = model({ model: '/m/words', title: 'Words', prompt: true, classes: [], imageShape: [3, 64, 64] });
    const form = { ...view().form, model: '/m/words', prompt: 'a red disc', seed: 4711 };
    const { host, page, close } = await open(view({ models: [words], form, history: [entry('a', 1)] }));
    host.answers['generate/live'] = () => ({
      ...{ live: 7, png: picture(5, 64), width: 64, height: 64, millisecondsPerImage: 20, notes: [] },
    });
    await page.locator('.picture').waitFor();
    await page.locator('#live').click();
    const live = page.getByRole('region', { name: 'Live' });
    await live.getByAltText('a red disc').waitFor();
    assert.equal(await page.locator('.picture:visible').count(), 0);
    host.answers['generate/saveLive'] = () => 1;
    await live.getByRole('button', { name: 'Save...' }).click();
    assert.equal((await host.saw('generate/saveLive')).params.live, 7);
    await page.getByText('1 saved.').waitFor();
    await page.evaluate(
      `navigator.clipboard.write = async ([item]) => { window.copied = (await item.getType('image/png')).size; }`,
    );
    await live.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied.').waitFor();
    assert.equal(await page.evaluate('window.copied'), picture(5, 64).length);

    await page.locator('#generate').click();
    const { params } = await host.saw('generate/start');
    assert.deepEqual([(params.form as Form).seed, params.keep], [4711, true]);
    await host.change({ history: [entry('b', 1, 4711), ...host.current.history] });
    await host.notify('generate/finished', { entry: 'b', spoken: '1 image ready' });
    await page
      .getByRole('button', { name: /seed 4711$/ })
      .first()
      .waitFor();
    assert.equal(await live.isVisible(), false, 'what was generated takes its place');
    await page.locator('#generate').click();
    await host.saw('generate/start', ({ keep }) => keep === false);
    await page.locator('#prompt textarea').fill('a blue ring');
    await live.getByAltText('a blue ring').waitFor();
    assert.equal(await page.locator('.picture:visible').count(), 0);
    await page.locator('.thumbnail').nth(1).click();
    await page.locator('.picture').waitFor();
    assert.equal(await live.isVisible(), false);
    await close();
  });

  test('the seed of a restored picture is let go for another prompt; one that is used on purpose stays', async () => {
    const words = model({ model: '/m/words', title: 'Words', prompt: true, classes: [] });
    const form = { ...view().form, model: '/m/words', prompt: 'a red disc', locked: true, restored: true };
    const { host, page, close } = await open(view({ models: [words], form, history: [entry('a', 4)] }));
    const keep = page.getByRole('checkbox', { name: 'Keep this seed' });
    const isKept = async () => (await keep.getAttribute('aria-checked')) === 'true';
    assert.equal(await isKept(), true);
    await page.locator('#prompt textarea').fill('a blue ring');
    const free = await host.saw('generate/form', (params) => (params.form as Form).prompt === 'a blue ring');
    assert.equal((free.params.form as Form).locked, false);
    await until('the box to be clear', async () => !(await isKept()));
    await page.getByRole('button', { name: 'Use seed 44 again' }).click();
    await page.locator('#prompt textarea').fill('a green star');
    const kept = await host.saw('generate/form', (params) => (params.form as Form).prompt === 'a green star');
    const { seed, locked } = kept.params.form as Form;
    assert.deepEqual([seed, locked, await isKept()], [44, true, true]);
    await close();
  });

  test('a text model may have another decoder: typed, chosen in a dialogue, let go with the model', async () => {
    const words = model({ model: '/m/words', title: 'Words', prompt: true, classes: [], sizeStep: 8 });
    const { form } = view();
    const { host, page, close } = await open(view({ models: [model(), words], form: { ...form, model: '/m/words' } }));
    host.answers['generate/pickDecoder'] = () => '/m/taesd';
    await page.getByRole('textbox', { name: 'Decoder' }).fill(' /m/other ');
    await host.saw('generate/form', ({ form }) => (form as Form).decoder === '/m/other');
    await page.getByRole('button', { name: 'Choose...' }).click();
    await host.saw('generate/form', ({ form }) => (form as Form).decoder === '/m/taesd');
    const shown = () => page.getByRole('textbox', { name: 'Decoder' }).inputValue();
    await until('the chosen decoder', async () => (await shown()) === '/m/taesd');
    await page.locator('#model').selectOption('builtin:scenes');
    await host.saw('generate/form', ({ form }) => (form as Form).decoder === '');
    assert.equal(await page.locator('#decoder').isVisible(), false, 'images of classes have no latents');
    await close();
  });

  test('sampler and size are chosen where the model has a choice', async () => {
    const words = model({ model: '/m/words', title: 'Words', prompt: true, classes: [], imageShape: [3, 64, 48] });
    const own = { ...words, sizeStep: 16 };
    const slow = model({ ...own, model: '/m/slow', role: 'teacher', steps: 20, samplers: ['ddim', 'euler', 'dpm'] });
    const { host, page, close } = await open(view({ models: [model(), own, slow] }));
    const visible = () => Promise.all(['#sampler', '#size'].map((id) => page.locator(id).isVisible()));
    assert.deepEqual(await visible(), [false, false]);
    await page.locator('select#model').selectOption('/m/words');
    assert.deepEqual(await visible(), [false, true], 'one step needs no sampler');
    await page.locator('select#model').selectOption('/m/slow');
    assert.deepEqual(await visible(), [true, true]);
    assert.equal(await page.locator('#size').getAttribute('placeholder'), 'default: 48 x 64');
    await page.locator('#sampler').selectOption('dpm');
    await page.locator('#size input').fill('96x64');
    const { params } = await host.saw('generate/form', ({ form }) => (form as Form).size !== null);
    const { sampler, size } = params.form as Form;
    assert.deepEqual({ sampler, size }, { sampler: 'dpm', size: [64, 96] });
    await page.locator('#size input').fill('tall');
    assert.equal(await page.locator('#size').getAttribute('aria-invalid'), 'true');
    await close();
  });

  test('a grid goes through two settings, begins with values of them, and shows its images as a table', async () => {
    const words = model({ model: '/m/words', title: 'Words', prompt: true, classes: [], sizeStep: 8 });
    const slow = model({
      ...{ ...words, model: '/m/slow', title: 'Slow', role: 'teacher', steps: 20, guidance: 5 },
      samplers: ['ddim', 'euler'],
    });
    const form = { ...view().form, model: '/m/slow', prompt: 'a red disc' };
    const { host, page, close } = await open(view({ models: [slow, words], form }));
    await page.getByRole('checkbox', { name: 'Grid over settings' }).click();
    await page.locator('#gridX').selectOption('guidance');
    assert.equal(await page.locator('#gridXValues input').inputValue(), '1, 2.5, 5, 10');
    await page.locator('#gridXValues input').fill('2, 4');
    await page.locator('#gridY').selectOption('sampler');
    await page.getByRole('group', { name: 'Values of Sampler' }).waitFor();
    await page.getByText('2 x 2 = 4 images').waitFor();
    await page.locator('#generate').click();
    const { params } = await host.saw('generate/start');
    const { asGrid, grid } = params.form as Form;
    assert.deepEqual(
      [asGrid, grid],
      [true, { x: { setting: 'guidance', values: ['2', '4'] }, y: { setting: 'sampler', values: ['ddim', 'euler'] } }],
    );
    const cells = [1, 2, 3, 4].map((n) => side(1, { title: 'Slow' }, n));
    await host.change({ history: [entryOf('g', cells, { grid })] });
    await host.notify('generate/finished', { entry: 'g', spoken: 'A grid of 4 images is ready' });
    const table = page.getByRole('table', { name: /Sampler by Guidance scale/ });
    assert.deepEqual(await table.getByRole('columnheader').allTextContents(), ['2', '4']);
    assert.deepEqual(await table.getByRole('rowheader').allTextContents(), ['ddim', 'euler']);
    await table.getByRole('button', { name: 'seed 1', exact: true }).focus();
    await page.keyboard.press('ArrowDown');
    await table.getByRole('button', { name: 'seed 3', exact: true, pressed: true }).waitFor();
    await page.locator('#restoreImage').click();
    assert.deepEqual((await host.saw('generate/restore')).params, { entry: 'g', side: 2, image: 0 });
    await page.locator('#gridXValues input').fill('1-40');
    await page.getByText('40 x 2 = 80 images: 64 are the most').waitFor();
    await close();
  });

  test('a picture is zoomed, and laid over another up to a line that the keyboard moves too', async () => {
    const { page, close } = await open(view({ history: [besideEntry('b', 2), entry('a', 1, 90)] }));
    await page.locator('.picture').first().waitFor();
    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    const zoom = page.getByRole('dialog', { name: 'Zoom' });
    const slider = zoom.getByRole('slider', { name: 'Line between the two images' });
    const over = zoom.locator('.layer').nth(1);
    await slider.focus();
    await page.keyboard.press('ArrowLeft');
    assert.equal(await slider.getAttribute('aria-valuenow'), '48');
    assert.match((await over.getAttribute('style')) ?? '', /clip-path: inset\(0(px)? 0(px)? 0(px)? 48%\)/);
    const box = (await zoom.locator('.stage').boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.48, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.25, box.y + box.height / 2);
    await page.mouse.up();
    assert.equal(await slider.getAttribute('aria-valuenow'), '25');
    const whole = await zoom.getByRole('status').textContent();
    await zoom.getByRole('button', { name: 'Zoom In (+)' }).click();
    assert.notEqual(await zoom.getByRole('status').textContent(), whole);
    await page.keyboard.press('0');
    assert.equal(await zoom.getByRole('status').textContent(), whole);
    await page.keyboard.press('Escape');
    await zoom.waitFor({ state: 'hidden' });

    await page.getByRole('button', { name: 'Keep to Compare with Later' }).click();
    await page.locator('.thumbnail').nth(1).click();
    await page
      .getByRole('button', { name: /seed 90$/ })
      .first()
      .dblclick();
    await zoom.getByLabel('Compare with').selectOption({ label: 'kept: Scenes, one-step generator, disc, seed 42' });
    await slider.waitFor();
    await zoom.getByRole('button', { name: 'Close' }).click();
    await close();
  });

  test('the history is searched, and favourites are marked, kept apart and told to the host', async () => {
    const red = entryOf('r', [side(1, { settings: { ...side(1).settings, prompt: 'A red disc' } }, 7)]);
    const blue = entryOf('b', [side(1, { settings: { ...side(1).settings, prompt: 'a blue ring' } }, 8)], {
      favourite: true,
    });
    const { host, page, close } = await open(view({ history: [red, blue, entry('c', 4, 100)] }));
    const shown = () =>
      page.locator('.thumbnail:visible').evaluateAll((nodes) => nodes.map((node) => node.dataset.entry));
    await page.locator('.thumbnail').nth(2).waitFor();
    await page.locator('#search').fill('RED disc');
    assert.deepEqual(await shown(), ['r']);
    await page.getByText('1 of 3').waitFor();
    await page.locator('#search').fill('103');
    assert.deepEqual(await shown(), ['c'], 'a seed of several');
    await page.locator('#search').fill('');
    await page.getByRole('checkbox', { name: 'Favorites only' }).click();
    await until('the favourite alone', async () => (await shown()).join() === 'b');
    await page.getByRole('button', { name: 'Add to Favorites' }).click();
    assert.deepEqual((await host.saw('generate/favourite')).params, { entry: 'r', favourite: true });
    await host.change({ history: [{ ...red, favourite: true }, blue] });
    await page.getByRole('button', { name: 'Remove from Favorites', pressed: true }).waitFor();
    assert.deepEqual(await shown(), ['r', 'b']);
    await close();
  });

  for (const theme of names) {
    test(`text stands out from its background in ${theme}`, async () => {
      const { page, close } = await open(view({ history: [besideEntry('b', 4)] }), { theme });
      await page.getByText('21 times faster').waitFor();
      const texts: [text: string, colour: string][] = await page.evaluate(
        `[...document.querySelectorAll('h2, .time strong, .ratio, .caption span, label, p.muted')]
          .map((node) => [node.textContent, getComputedStyle(node).color])`,
      );
      assert.ok(texts.length > 8);
      const background = themes[theme].variables['editor-background'];
      for (const [text, colour] of texts) {
        const ratio = contrast(colour, background);
        assert.ok(ratio >= 4.5, `${text}: ${colour} on ${background} is ${ratio.toFixed(2)}`);
      }
      const folder = process.env.DMD_TEST_SCREENSHOTS;
      if (folder) {
        mkdirSync(folder, { recursive: true });
        await page.screenshot({ path: join(folder, `generate-${theme}.png`) });
      }
      await close();
    });
  }
});

/** WCAG's contrast ratio of `rgb(...)` or `#rrggbb`, the first drawn over the second. */
function contrast(foreground: string, background: string): number {
  const [r = 0, g = 0, b = 0] = background.match(/[0-9a-f]{2}/gi)!.map((hex) => Number.parseInt(hex, 16));
  const below = [r, g, b];
  const [red = 0, green = 0, blue = 0, alpha = 1] = foreground.match(/[\d.]+/g)!.map(Number);
  const above = [red, green, blue].map((value, i) => value * alpha + below[i]! * (1 - alpha));
  const luminance = (colour: number[]) => {
    const linear = colour.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
  };
  const [light = 0, dark = 0] = [luminance(above), luminance(below)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}
