/** The generate panel's page in a browser: what a person sees, presses and hears, against a host that answers from memory. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { Entry, Form } from '../../backend/protocol/panels/generate.ts';
import { until } from '../e2e/driver/until.ts';
import { besideEntry, FakeHost, launchBrowser, model, picture, side, teacher, view } from './generate/fake-host.ts';
import { noBrowser, type PanelOptions } from './harness.ts';
import { type ThemeName, themes } from './themes.ts';

const entry = (id: string, images: number, seed = 42): Entry => {
  return { id, createdAt: '2026-01-02T03:04:05.000Z', sides: [side(images, {}, seed)] };
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
    await page.getByRole('checkbox', { name: 'Keep this seed' }).click();
    await page.locator('#count input').press('Enter');
    const { params } = await host.saw('generate/start');
    const wanted: Partial<Form> = { model: 'builtin:scenes', class: 4, seed: 7, count: 9, locked: true, steps: null };
    assert.deepEqual({ ...params, ...wanted }, params);
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
      return { png: picture(drawn), width: 64, height: 64, millisecondsPerImage: 20, notes };
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
    host.answers['generate/restorePng'] = () => true;
    const bytes = picture(3);
    await page.evaluate(`{
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([Uint8Array.of(${bytes.join()})], 'x.png', { type: 'image/png' }));
      window.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
    }`);
    const { params } = await host.saw('generate/restorePng');
    assert.deepEqual(params.png, bytes);
    await page.getByText('Settings restored.').waitFor();
    await close();
  });

  test('the keyboard reaches everything, from the form to the history', async () => {
    const { page, close } = await open(view({ history: [entry('b', 4), entry('a', 1)], document: 'notes.md' }));
    await page.locator('.picture').first().waitFor();
    const reached: string[] = [];
    for (let i = 0; i < 30 && reached.at(-1) !== 'history'; i++) {
      await page.keyboard.press('Tab');
      const at: string = await page.evaluate(`(({ activeElement: at }) =>
        at.closest('.history') ? 'history' : at.closest('.picture') ? 'picture' : at.id)(document)`);
      reached.push(at);
    }
    const order = ['model', 'class', 'seed', 'random', 'locked', 'count', 'device', 'beside', 'generate', 'open'];
    const actions = ['picture', 'save', 'copy', 'insert', 'restoreImage', 'restore', 'saveAll', 'delete', 'history'];
    assert.deepEqual(reached, [...order, ...actions]);
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
