/** F5 on a run config: a run is stopped, looked at and changed like a program, before its weights are. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runRequests } from '../../backend/protocol/run-requests.ts';
import { readRun } from '../../backend/runs/folder/run-folder.ts';
import { connectRunIn } from '../../backend/runs/live/link.ts';
import { Debugging } from './driver/debugging.ts';
import { editorTest } from './driver/editor-test.ts';
import { theRun, untilRun } from './driver/recorded.ts';
import { until } from './driver/until.ts';
import type { Workbench } from './driver/workbench.ts';

/** For people to look at; the README's when DMD_TEST_PICTURES names their folder. */
const results = fileURLToPath(new URL('../../test-results/pictures/debugger', import.meta.url));
const pictures = resolve(process.env.DMD_TEST_PICTURES ?? results);
const themes = [
  ['light', 'Default Light Modern', 'vs'],
  ['dark', 'Default Dark Modern', 'vs-dark'],
] as const;

const config = `{
  "kind": "distill",
  "teacher": "builtin:scenes",
  "iterations": 1000,
  "batch": 2,
  "device": "cpu",
  "generator": { "warmup": 0 },
  "regression": { "enabled": false },
  "record": { "samplesEvery": 0, "fieldsEvery": 0, "probeEvery": 0, "histogramsEvery": 0 }
}
`;

const toolbar = (workbench: Workbench) => workbench.page.locator('.debug-toolbar');
const stoppedLine = (workbench: Workbench, text: string) =>
  workbench.page
    .locator('.editor-instance', { has: workbench.page.locator('.debug-top-stack-frame-line') })
    .locator('.view-line', { hasText: text });

async function open(workbench: Workbench, file: string): Promise<void> {
  await workbench.page.keyboard.press('Control+P');
  await workbench.quickInput.fill(file);
  await workbench.paletteRow(file).click();
  await workbench.tab(file).waitFor();
}

/** The row of a variable, e.g. `grad: [2, 3, 32, 32] float32 min ...`. */
const variable = (workbench: Workbench, name: string) =>
  workbench.page.locator('.debug-variables .monaco-list-row', { hasText: new RegExp(`^\\s*${name}\\s*[:=]`) });

/** What the debug console answers. */
async function evaluate(workbench: Workbench, expression: string): Promise<string> {
  const { page } = workbench;
  const answers = page.locator('.repl-tree .monaco-list-row .evaluation-result');
  const before = await answers.count();
  await page.locator('.repl-input-wrapper .monaco-editor').click();
  await page.keyboard.insertText(expression);
  await page.keyboard.press('Escape'); // completions
  await page.keyboard.press('Enter');
  await until(`an answer to ${expression}`, async () => (await answers.count()) > before);
  return (await answers.last().textContent()) ?? '';
}

/** From the numbers, not from the program's own arithmetic. */
function statistics(data: Float32Array) {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const variance = data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length;
  const [min, max] = [data.reduce((a, b) => Math.min(a, b)), data.reduce((a, b) => Math.max(a, b))];
  return { min, mean, max, std: Math.sqrt(variance), zero: data.filter((value) => value === 0).length };
}

function near(actual: number, expected: number, what: string): void {
  const tolerance = Math.max(1e-3 * Math.abs(expected), 1e-9);
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, not ${expected}`);
}

editorTest(
  'F5 stops at the gradient; what is seen is what was computed, what is changed is what is updated from',
  { newestOnly: true, files: { 'mine.dmd.json': config } },
  async ({ server, workbench }) => {
    const { page } = workbench;
    const picture = async (name: string) => {
      mkdirSync(pictures, { recursive: true });
      for (const [kind, theme, mark] of themes) {
        server.setting('workbench.colorTheme', theme);
        await page.locator(`.monaco-workbench.${mark}`).waitFor();
        await workbench.picture(join(pictures, `${name}-${kind}.png`));
      }
    };
    await open(workbench, 'mine.dmd.json');
    await page.locator('.codelens-decoration a', { hasText: 'Algorithm' }).click();
    await workbench.tab('mine.dmd').last().waitFor();
    await page.locator('.view-line', { hasText: 'grad =' }).getByText('grad').first().click();
    await page.keyboard.press('F9');
    await page.locator('.codicon-debug-breakpoint, .codicon-debug-breakpoint-unverified').first().waitFor();

    await page.keyboard.press('F5');
    const stopped = (frame: string) => page.locator('.debug-call-stack .monaco-list-row', { hasText: frame }).waitFor();
    await stoppedLine(workbench, 'grad =').waitFor({ timeout: 120_000 });
    await stopped('step 1: gradient done');
    const folder = await theRun(join(server.workspace, 'runs'));
    // Both scores begin as the teacher: from the second iteration on there is something to see.
    await page.keyboard.press('F5');
    await stopped('step 2: gradient done');
    assert.ok((readRun(folder).info?.step ?? 0) < 2, 'nothing of it is committed');

    const link = await connectRunIn(folder);
    const { tensor, step: of } = await link.ask(runRequests['tensors/read'], { name: 'training/grad' });
    link.close();
    assert.equal(of, 2);
    const expected = statistics(tensor.data);
    assert.ok(expected.std > 0);
    // For a moment the view still has the first iteration's, all zero.
    const row = await until('the variables of this stop', async () => {
      const text = (await variable(workbench, 'grad').textContent()) ?? '';
      return !text.includes(' std 0 ') && text;
    });
    assert.ok(row.includes(`[${tensor.shape.join(', ')}] float32`), row);
    for (const [name, value] of Object.entries(expected)) {
      const [, shown] = new RegExp(`\\b${name} (-?[\\d.e+-]+)`).exec(row) ?? [];
      near(Number(shown), value, `${name} of ${row}`);
    }
    await picture('debugger');

    // The gradient of the weights is linear in what it begins with: three times the one, three times the other.
    const step = async (command: string, frame: string) => {
      await toolbar(workbench).getByRole('button', { name: command }).click();
      await stopped(frame);
    };
    await step('Step Over', 'regression done');
    await step('Step Over', 'generator backward done');
    const norm = Number(await evaluate(workbench, 'gradient.norm'));
    assert.ok(norm > 0);
    await step('Step Back', 'regression done');
    await step('Step Back', 'gradient done');
    await evaluate(workbench, 'grad = grad * 3');
    await step('Step Over', 'regression done');
    await step('Step Over', 'generator backward done');
    near(Number(await evaluate(workbench, 'gradient.norm')), 3 * norm, 'the norm of the gradient');

    // A level without noise has no logarithm: a condition stops where the first NaN is.
    await page.locator('.view-line', { hasText: 'muReal = ' }).getByText('muReal').first().click();
    await workbench.run('Debug: Add Conditional Breakpoint...');
    await page.locator('.breakpoint-widget .inputContainer .monaco-editor.focused').first().waitFor();
    await page.keyboard.insertText('muReal.nan > 0');
    await page.keyboard.press('Enter');
    await page.locator('.codicon-debug-breakpoint-conditional').first().waitFor();
    await step('Reverse', 'draw done');
    await evaluate(workbench, 'sigma[0] = 0');
    await page.keyboard.press('F5');
    await stopped('step 2: real score done');
    await workbench.run('DMD: Find First NaN');
    await workbench.notification(/log in scores\.real/).waitFor();
    assert.ok((readRun(folder).info?.step ?? 0) < 2, 'the weights are untouched');
    await picture('debugger-nan');
    await workbench.run('DMD: Inspect Scores of Debugged Run');
    await workbench.tab(/Scores/).waitFor();

    // The inspector has the keyboard now.
    await toolbar(workbench).getByLabel(/^Stop/).last().click();
    await untilRun(folder, 'stopped', ({ state }) => state === 'stopped');
    await toolbar(workbench).waitFor({ state: 'hidden' });
  },
);

editorTest(
  'a run that works is attached to by picking it; its tensors show as heatmaps; left, it goes on',
  { newestOnly: true },
  async ({ server, workbench }) => {
    const { page } = workbench;
    await workbench.run('DMD: Start the Built-in Run');
    const folder = await theRun(join(server.workspace, 'runs'));
    await untilRun(folder, 'at work', ({ info }) => (info?.step ?? 0) >= 0 && readRun(folder).state === 'running');
    await workbench.webview().locator('output.step').waitFor();
    await workbench.run('DMD: Attach Debugger to Run...');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'first-run' }).first().click();
    await toolbar(workbench).waitFor({ timeout: 120_000 });

    const pause = toolbar(workbench).locator('.codicon-debug-pause');
    const frame = page.locator('.debug-call-stack .monaco-list-row', { hasText: /step \d+: .* done/ });
    // The editor drops a pause before it knows of a thread.
    await until('the run to stand', async () => {
      if (await pause.isVisible()) await pause.click();
      return frame
        .first()
        .waitFor({ timeout: 10_000 })
        .then(
          () => true,
          () => false,
        );
    });
    // One step further there is a tensor for sure: z is drawn in the first stage.
    const debugging = new Debugging(workbench);
    const row = await debugging.variable('z');
    await row.waitFor();
    const shown = (await row.textContent()) ?? '';
    const [, shape, min] = /\[([\d, ]+)\] float32 min (\S+)/.exec(shown)!;
    await workbench.chooseFromMenu(row, 'View Value as Heatmap');
    const value = workbench.webview();
    const fact = (id: string) => value.locator(`table.facts tbody [data-fact="${id}"]`).first();
    await fact('shape')
      .filter({ hasText: shape!.replaceAll(', ', ' × ') })
      .waitFor();
    near(Number((await fact('min').textContent())!.replaceAll('−', '-')), Number(min), 'min of the heatmap');
    await value.locator('canvas').first().waitFor();

    const step = readRun(folder).info?.step ?? 0;
    await toolbar(workbench).locator('.codicon-debug-disconnect, .codicon-debug-stop').first().click();
    await toolbar(workbench).waitFor({ state: 'hidden' });
    await untilRun(folder, 'further', ({ info }) => (info?.step ?? 0) > step + 1);
    assert.equal(readRun(folder).state, 'running', 'a run that was attached to goes on');
  },
);
