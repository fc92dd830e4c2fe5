/**
 * Values of programs that are stopped in the real editor: a distillation loop in Python by debugpy, a Node program by the
 * debugger that comes with the editor.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noPython, python } from '../unit/values/debugpy.ts';
import { Debugging } from './driver/debugging.ts';
import { type EditorContext, editorTest } from './driver/editor-test.ts';
import { until } from './driver/until.ts';

const here = (name: string) => fileURLToPath(new URL(`./values/${name}`, import.meta.url));
const loop = readFileSync(here('dmd_loop.py'), 'utf8');
const lineOf = (text: string, start: string) => text.split('\n').findIndex((line) => line.trim().startsWith(start)) + 1;
const stopLine = lineOf(loop, 'grad = (p_real');
const firstStep = 12;

/** The editor puts the folder there. */
const workspaceFolder = '$' + '{workspaceFolder}';
const launch = (configuration: object) =>
  JSON.stringify({ version: '0.2.0', configurations: [{ name: 'Program', request: 'launch', ...configuration }] });

const pictures = fileURLToPath(new URL('../../test-results/pictures', import.meta.url));
const themes = [
  { name: 'dark', theme: 'Default Dark Modern', mark: 'vs-dark' },
  { name: 'light', theme: 'Default Light Modern', mark: 'vs' },
];

async function inBothThemes({ server, workbench, editor }: EditorContext, panel: string): Promise<void> {
  const folder = resolve(process.env.DMD_TEST_PICTURES ?? join(pictures, editor.vscode));
  mkdirSync(folder, { recursive: true });
  // What the pointer hovers over since the toolbar was clicked.
  await workbench.page.mouse.move(500, 700);
  await workbench.page.locator('.monaco-hover:visible').first().waitFor({ state: 'hidden' });
  for (const { name, theme, mark } of themes) {
    server.setting('workbench.colorTheme', theme);
    await workbench.page.locator(`.monaco-workbench.${mark}`).waitFor();
    await workbench.picture(join(folder, `${panel}-${name}.png`));
  }
}

editorTest(
  'a stopped Python program shows its real and fake prediction as signed difference, and follows three stops',
  {
    newestOnly: true,
    extensions: [here('debugpy-extension')],
    files: {
      'dmd_loop.py': loop,
      '.vscode/launch.json': launch({
        ...{ type: 'dmd-test-python', program: `${workspaceFolder}/dmd_loop.py`, cwd: workspaceFolder },
        ...{ console: 'internalConsole', python: python ?? 'python3' },
      }),
    },
  },
  async (context, t) => {
    if (python === undefined) return t.skip(String(noPython));
    const { workbench } = context;
    const debugging = new Debugging(workbench);
    await debugging.breakAt('dmd_loop.py', stopLine, `step >= ${firstStep}`);
    await debugging.start();

    // From the Variables view.
    const row = await debugging.variable('pred_real_image');
    await workbench.chooseFromMenu(row, 'View Value as Heatmap');
    const shown = workbench.webview();
    await shown.locator('[data-fact="shape"]').filter({ hasText: '16 × 3 × 64 × 64' }).waitFor();
    const minus = shown.getByLabel('Minus');
    await minus.fill('pred_fake_image');
    await minus.press('Enter');
    await shown.locator('tr.difference').waitFor();
    const difference = async () => shown.locator('tr.difference [data-fact="std"]').textContent();
    const fact = (id: string) => shown.locator(`table.facts tbody tr >> nth=0`).locator(`[data-fact="${id}"]`);
    const evaluated = await evaluate(context, "'%.4g %.4g' % (pred_real_image.min(), pred_real_image.std())");
    assert.equal(
      `${await fact('min').textContent()} ${await fact('std').textContent()}`.replaceAll('−', '-'),
      evaluated,
      'what the program itself says',
    );
    const seen = [await difference()];
    for (let stop = 1; stop < 3; stop++) {
      await debugging.goOn();
      seen.push(await until('another difference', async () => without(seen, await difference()), 60));
    }
    assert.equal(new Set(seen).size, 3);
    const direct = await evaluate(context, "'%.4g' % (pred_real_image[0] - pred_fake_image[0]).std()");
    assert.equal(seen.at(-1), direct);
    await inBothThemes(context, 'value');

    // The score watch on the same program.
    await workbench.run('DMD: Open Score Watch');
    const watch = workbench.webview();
    await watch.getByLabel('Names of').selectOption({ label: 'DMD2, EDM (ImageNet)' });
    const cards = watch.locator('.heatmap-card');
    await watch.locator('[data-field="difference"]').waitFor();
    await watch.locator('summary').click();
    for (let stop = 1; stop <= 3; stop++) {
      await until(`${stop} stops in the strip`, async () => (await watch.locator('.stop').count()) === stop);
      if (stop < 3) await debugging.goOn();
    }
    const fields = await cards.evaluateAll((all) =>
      (all as unknown as { getAttribute(name: string): string }[]).map((card) => card.getAttribute('data-field')),
    );
    assert.deepEqual(fields, ['x', 'xt', 'muReal', 'muFake', 'scoreReal', 'scoreFake', 'difference', 'grad']);
    const ratio = await evaluate(context, "'%.4g' % (abs(p_real[0]).mean() / abs(p_fake[0]).mean())");
    assert.equal(await watch.locator('[data-fact="residualRatio"] b').textContent(), ratio);
    // The code and the pictures beside each other.
    await workbench.run('View: Toggle Primary Side Bar Visibility');
    await inBothThemes(context, 'score-watch');
    await debugging.end();
  },
);

function without(seen: readonly (string | null)[], value: string | null): string | null {
  return seen.includes(value) ? null : value;
}

let answered = 0;

/** What the debug console answers. */
async function evaluate({ workbench }: EditorContext, expression: string): Promise<string> {
  const { page } = workbench;
  await workbench.run('Debug Console: Focus on Debug Console View');
  answered++;
  await page.keyboard.type(`'${answered}=' + ${expression}`);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  const answers = page.locator('.repl .evaluation-result, .repl .expression.value');
  const answer = await until('the console to answer', async () => {
    const all = await answers.allTextContents();
    return all.map((text) => text.match(new RegExp(`^\\s*'?${answered}=(.*?)'?\\s*$`))?.[1]).find(Boolean);
  });
  await workbench.run('View: Toggle Panel Visibility');
  return answer;
}

const program = `const values = Float32Array.from({ length: 3 * 8 * 8 }, (_, i) => Math.sin(i / 9));
const nested = [[1, 2], [3, NaN]];
for (let step = 0; step < 3; step++) {
  values[0] = step;
  console.log(step);
}
`;

editorTest(
  'typed arrays and nested arrays of a stopped Node program are shown',
  {
    newestOnly: true,
    files: {
      'program.mjs': program,
      '.vscode/launch.json': launch({ type: 'node', program: `${workspaceFolder}/program.mjs` }),
    },
  },
  async ({ workbench }) => {
    const debugging = new Debugging(workbench);
    await debugging.breakAt('program.mjs', lineOf(program, 'console.log'));
    await debugging.start();
    await workbench.run('DMD: View Value as Heatmap');
    await workbench.answer('values');
    const shown = workbench.webview();
    await shown.locator('[data-fact="shape"]').filter({ hasText: /^192$/ }).waitFor();
    const shape = shown.getByLabel('As shape');
    await shape.fill('3, 8, 8');
    await shape.press('Enter');
    await shown.locator('[data-fact="shape"]').filter({ hasText: '3 × 8 × 8' }).waitFor();
    await shown
      .locator('[data-fact="max"]')
      .filter({ hasText: /^0\.99/ })
      .waitFor();
    await debugging.goOn();
    await shown.locator('[data-fact="max"]').filter({ hasText: /^1$/ }).waitFor();
    const value = shown.getByLabel('Value', { exact: true });
    await value.fill('nested');
    await value.press('Enter');
    await shape.fill('');
    await shape.press('Enter');
    await shown.locator('[data-fact="nan"]').filter({ hasText: /^1$/ }).waitFor();
    await value.fill('step = 9');
    await value.press('Enter');
    await shown.getByText('would change the program').waitFor();
    await debugging.goOn();
    await shown.getByText(/Stopped at program.mjs:5/).waitFor();
    await debugging.end();
  },
);
