/** The score inspector's page with a run's checkpoints: what it shows is what the networks compute, whatever is chosen. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { UserError } from '../../backend/protocol/errors.ts';
import { describeInspection, inspectScores } from '../../backend/protocol/rpc/index.ts';
import { readFields } from '../../backend/runs/fields/fields.ts';
import { runPaths } from '../../backend/runs/folder/run-folder.ts';
import { decodeTensors } from '../../backend/weights/tensor-file.ts';
import { until } from '../e2e/driver/until.ts';
import { distillConfig, runHere, scratch, tinyTeacher } from '../unit/training/tiny.ts';
import { launchBrowser, noBrowser } from './harness.ts';
import { type InspectorOptions, inspectorHost, type OpenInspector, openInspector } from './inspector/open.ts';
import { BackendInProcess } from './monitor/backend.ts';

const skip = noBrowser;
const root = scratch();
const levels = [200, 600];
let browser: Browser;
let folder: string;
const backend = new BackendInProcess();

if (!skip) {
  const config = distillConfig(await tinyTeacher(root), {
    record: { samplesEvery: 3, samples: 4, probeEvery: 3, probe: { count: 3, levels } },
    checkpoint: { every: 3, keep: 9 },
  });
  const [launched, run] = await Promise.all([launchBrowser(), runHere({ config, root: path.join(root, 'runs') })]);
  browser = launched;
  folder = run.folder;
}
after(async () => {
  await browser?.close();
  await backend.end();
});

async function withInspector(
  options: Partial<InspectorOptions>,
  work: (inspector: OpenInspector) => Promise<void>,
): Promise<void> {
  const inspector = await openInspector({ browser, backend, ...options });
  try {
    await work(inspector);
    assert.deepEqual(inspector.problems, [], 'nothing went wrong in the page, and its policy refused nothing');
  } finally {
    await inspector.close();
  }
}

const answered = (page: Page, step: number, level: number) =>
  page.locator(`main[data-step="${step}"][data-level="${level}"][aria-busy="false"]`).waitFor();
const card = (page: Page, field: string, set = 0) =>
  page.locator('.score-set').nth(set).locator(`.heatmap-card[data-field="${field}"]`);
const choose = (page: Page, name: string, value: string) => page.getByLabel(name, { exact: true }).selectOption(value);

/** As the page writes a number. */
const shown = (value: number) => String(Number(value.toPrecision(3))).replaceAll('-', '−');

test('an image of the probe: the fields that the run recorded, their statistics, and the level of the slider', {
  skip,
}, async () => {
  const choice = { folder, state: 3, sample: { kind: 'probe', index: 1 }, level: { by: 'index', value: 600 } };
  await withInspector({ choice }, async ({ page, panel }) => {
    await answered(page, 3, 600);
    assert.match(panel.title, /^Scores: /);
    const { tensors } = readFields(runPaths(folder).fields, 'probe', 3);
    const { shape, data } = tensors.get('grad')!;
    const size = shape.slice(2).reduce((all, side) => all * side, 1);
    const grad = data.subarray((3 + 1) * size, (3 + 2) * size);
    const found = (await card(page, 'grad').locator('.statistics').textContent())!;
    const [min, max] = [Math.min(...grad), Math.max(...grad)];
    assert.ok(found.includes(`min ${shown(min)}`) && found.includes(`max ${shown(max)}`), `${found}: ${min}, ${max}`);
    const fields = await page.locator('.heatmap-card').evaluateAll((all) => all.map((one) => one.dataset.field));
    const wanted = ['x', 'xt', 'muReal', 'muFake', 'scoreReal', 'scoreFake', 'difference', 'grad', 'stepped'];
    assert.deepEqual(fields, wanted);
    const cosine = tensors.get('cosine')!.data[3 + 1]!;
    assert.equal(Number(await page.locator('[data-fact="cosine"] b').textContent()).toFixed(2), cosine.toFixed(2));
    // Sixteen levels, five rows, and a curve of each norm.
    assert.equal(await page.locator('.strip canvas').count(), 16 * 5);
    assert.equal(await page.locator('.curve').count(), 3);
    await page.locator('.strip button.head').nth(4).click();
    const level = Number(await page.locator('.strip button.head').nth(4).getAttribute('data-level'));
    await answered(page, 3, level);
    assert.equal(
      await page.locator('.strip button.head[aria-pressed="true"]').getAttribute('data-level'),
      String(level),
    );
    // Another level of the same image asks for that level alone.
    const last = backend.asked.filter(({ method }) => method === inspectScores.method).at(-1)!;
    assert.deepEqual((last.params as { query: { strip: number[] } }).query.strip, []);
    await page.getByLabel('Type a noise level as sigma.').fill('1.5');
    await page.getByLabel('Type a noise level as sigma.').press('Enter');
    await page.locator('[data-fact="sigma"] b', { hasText: /^1\.5$/ }).waitFor();
  });
});

test('two checkpoints stand side by side with their difference; a class, a seed and a step change what they change', {
  skip,
}, async () => {
  await withInspector({ choice: { folder } }, async ({ page, state }) => {
    await answered(page, 6, 500);
    await choose(page, 'Beside', '3');
    await page.locator('.score-set').nth(2).waitFor();
    const titles = await page.locator('.score-set h3').allTextContents();
    assert.deepEqual(titles, ['step 3', 'step 6', 'step 6 minus step 3']);
    const numbers = (set: number) => card(page, 'muReal', set).locator('.statistics').textContent();
    // Three digits of either may be the same; those of the difference are its own.
    const [, std] = /std (\S+)/.exec((await numbers(2))!)!;
    assert.ok(Number(std!.replaceAll('−', '-')) > 0, `${std}`);
    assert.equal(await page.locator('.curve[data-chart="norms"] .legend > span').count(), 8, 'of both');
    const strips = page.locator('.strip');
    assert.deepEqual(await page.locator('.strips h3').allTextContents(), titles);
    assert.equal(await strips.count(), 3, 'of both, and of what differs');
    // What the difference shows at a level is what the two above it show there.
    const summary = async (strip: number) => {
      const label = await strips
        .nth(strip)
        .locator('canvas[data-field="xt"][data-column="5"]')
        .getAttribute('aria-label');
      const [, mean] = /mean (\S+?)[,;.]?(?:\s|$)/.exec(label!.replaceAll('−', '-'))!;
      return Number(mean);
    };
    const [first, second, between] = [await summary(0), await summary(1), await summary(2)];
    assert.ok(Math.abs(second - first - between) < 0.02 * (Math.abs(first) + Math.abs(second)) + 1e-3, `${between}`);
    await choose(page, 'Beside', '');
    await page.locator('.score-set').nth(1).waitFor({ state: 'detached' });
    const x = () => card(page, 'x').locator('.statistics').textContent();
    const before = await x();
    await page.getByLabel('Seed or number').fill('77');
    await page.getByLabel('Seed or number').press('Enter');
    /** What x is, once the page shows the answer to that question: as three digits in the page, and in full. */
    const shownOf = async (condition: object | null) => {
      const sample = { kind: 'seed', seed: 77 };
      const isIt = (params: unknown) => {
        const { query } = inspectScores.params.parse(params);
        return isDeepStrictEqual([query.sample, query.condition], [sample, condition]);
      };
      const find = () =>
        backend.asked.findLast(({ method, params }) => method === inspectScores.method && isIt(params));
      const { params } = (await until('the scores to be asked for', find))!;
      const { tensors } = await backend.request(inspectScores, inspectScores.params.parse(params));
      const { data } = tensors.find(({ name }) => name === 'x')!;
      const range = `min ${shown(Math.min(...data))}, `;
      await until(`x with ${range}`, async () => (await x())!.startsWith(range));
      await page.locator('main[aria-busy="false"]').waitFor();
      return [...data];
    };
    await shownOf(null);
    assert.notEqual(await x(), before);
    // Three digits of two classes may be the same; their numbers are not.
    await choose(page, 'Class', '0');
    const other = await shownOf({ class: 0 });
    await choose(page, 'Class', '1');
    assert.notDeepEqual(await shownOf({ class: 1 }), other);
    const step = page.getByLabel('How far x moves along −grad in the last picture.');
    await step.fill('0');
    await step.press('Enter');
    await card(page, 'stepped').locator('figcaption', { hasText: 'x − 0 grad' }).waitFor();
    assert.equal(await card(page, 'stepped').locator('.statistics').textContent(), await x(), 'no step at all');
    const saved = state() as { query: { sample: object; stepSize: number } };
    assert.deepEqual([saved.query.sample, saved.query.stepSize], [{ kind: 'seed', seed: 77 }, 0]);
  });
});

test('what was chosen is there again after a reload of the window', { skip }, async () => {
  let state: unknown;
  const choice = { folder, state: 3, sample: { kind: 'samples', index: 2 }, level: { by: 'index', value: 300 } };
  await withInspector({ choice }, async (inspector) => {
    await answered(inspector.page, 3, 300);
    await choose(inspector.page, 'Channels', 'apart');
    state = inspector.state();
  });
  await withInspector({ state }, async ({ page }) => {
    await answered(page, 3, 300);
    assert.equal(await page.getByLabel('Channels').inputValue(), 'apart');
    assert.equal(await page.getByLabel('Seed or number').inputValue(), '3');
  });
});

test('the exported file holds every tensor, and the Python beside it loads it', { skip }, async (t) => {
  const { vscode, pythonFor } = await inspectorHost();
  const files: Record<string, Uint8Array> = {};
  let copied = '';
  let target = '';
  vscode.answers.set('window.showSaveDialog', (() => ({ fsPath: target })) as never);
  vscode.answers.set('workspace.fs.writeFile', ((_: object, bytes: Uint8Array) => {
    files[target] = bytes;
  }) as never);
  vscode.answers.set('window.showInformationMessage', (async (_: string, button: string) => button) as never);
  vscode.env.clipboard = { writeText: (text: string) => (copied = text) };
  await withInspector({ choice: { folder, level: { by: 'index', value: 600 } } }, async ({ page }) => {
    await answered(page, 6, 600);
    const save = async (name: string, button: string) => {
      target = path.join(root, name);
      await page.getByText(button, { exact: true }).click();
      while (!files[target]) await page.evaluate('new Promise(requestAnimationFrame)');
      fs.writeFileSync(target, files[target]!);
      return files[target]!;
    };
    const { tensors, metadata } = decodeTensors(await save('scores.safetensors', 'Save as safetensors'), 'exported');
    assert.deepEqual(metadata.run, folder);
    const { data: grad } = tensors.get('grad')!;
    const factor = tensors.get('weight')!.data[0]!;
    const [real, fake] = ['muReal', 'muFake'].map((name) => tensors.get(name)!.data);
    for (const [i, value] of grad.entries()) {
      assert.ok(Math.abs(value - factor * (fake![i]! - real![i]!)) < 1e-4 * (1 + Math.abs(value)));
    }
    assert.equal(tensors.get('levels/grad')!.shape[0], 16);
    const png = await save('scores.png', 'Save as PNG');
    assert.deepEqual([...png.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
    while (!copied) await page.evaluate('new Promise(requestAnimationFrame)');
    assert.equal(copied, pythonFor(path.join(root, 'scores.safetensors')));
  });
  const python = process.env.DMD_TEST_PYTHON;
  if (!python) return t.skip('no Python with NumPy (DMD_TEST_PYTHON)');
  const printed = execFileSync(python, ['-c', copied], { cwd: root, encoding: 'utf8' });
  assert.match(printed, /^levels\/grad \(16, 3, 8, 8\)/m);
});

test('what cannot be inspected is said where one looks, and the next choice is answered', { skip }, async () => {
  await withInspector({ choice: { folder: null } }, async ({ page }) => {
    await page.getByText('Choose a distillation to look into').waitFor();
    await page.getByText('Choose a Run…').waitFor();
  });
  const gone = path.join(runPaths(folder).checkpoints, 'step-00000003');
  await withInspector({ choice: { folder, level: { by: 'index', value: 600 } } }, async (inspector) => {
    const { page } = inspector;
    await answered(page, 6, 600);
    fs.renameSync(gone, `${gone}.away`);
    await choose(page, 'State', '3');
    await page
      .getByRole('alert')
      .filter({ hasText: /no checkpoint of step 3.*There are: 6/ })
      .waitFor();
    fs.renameSync(`${gone}.away`, gone);
    await page.getByLabel('Inspect Again').click();
    await answered(page, 3, 600);
    inspector.command({ folder, state: 'live' });
    await page
      .getByRole('alert')
      .filter({ hasText: /has ended.*Choose one of its checkpoints/ })
      .waitFor();
    inspector.command({ folder, state: 6, sample: { kind: 'probe', index: 0 } });
    await answered(page, 6, 600);
  });
});

test('a long inspection says how far it is, and can be cancelled', { skip }, async () => {
  const slow = new BackendInProcess();
  let aborted = false;
  const described = await backend.request(describeInspection, { id: 'one', folder });
  slow.answer(describeInspection, () => described);
  slow.answer(
    inspectScores,
    () =>
      new Promise<never>((_, reject) => {
        slow.onCancel(() => {
          aborted = true;
          reject(new UserError('cancelled', 'cancelled'));
        });
      }),
  );
  await withInspector({ choice: { folder }, backend: slow }, async ({ page }) => {
    await page.locator('.working').waitFor();
    await page.getByText('Cancel', { exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'Cancelled.' }).waitFor();
    while (!aborted) await page.evaluate('new Promise(requestAnimationFrame)');
  });
  await slow.end();
});
