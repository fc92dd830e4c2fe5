/** A run config in the editor: what it offers while typing, one mark for each mistake, and what stands above it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { editorTest } from './driver/editor-test.ts';
import { theRun, untilRun } from './driver/recorded.ts';
import { until } from './driver/until.ts';

const mistaken = `{
  // Comments are fine.
  "kind": "distill",
  "sed": 1,
  "teacher": "missing.safetensors",
}
`;
const files = { 'mine.dmd.json': mistaken };

editorTest(
  'a run config is explained, checked and mended while it is typed',
  { files },
  async ({ server, workbench }) => {
    const { page } = workbench;
    const file = join(server.workspace, 'mine.dmd.json');
    const marks = page.locator('#status\\.problems');
    const lens = (title: string) => page.locator('.codelens-decoration a', { hasText: title });

    await page.keyboard.press('Control+P');
    await workbench.quickInput.fill('mine.dmd.json');
    await workbench.paletteRow('mine.dmd.json').click();
    await workbench.statusItem('JSON with Comments').waitFor();
    for (const title of ['Start Run', 'Compare with Last Run', 'Check Again']) await lens(title).waitFor();

    // Errors and warnings: the editor itself adds none, also not for the comment and the last comma.
    await marks.filter({ hasText: /^\s*1\s*0\s*$/ }).waitFor();
    await page.locator('.view-line', { hasText: '"sed"' }).getByText('"sed"').click();
    const mend = page.locator('.action-widget .monaco-list-row.focused', { hasText: 'Change to "seed"' });
    // The editor drops the key where it is still asking for what could be mended.
    await until('the mend to be offered', async () => {
      await page.keyboard.press('Control+.');
      return mend.waitFor({ timeout: 5_000 }).then(
        () => true,
        () => false,
      );
    });
    await page.keyboard.press('Enter');
    await page.locator('.view-line', { hasText: '"seed"' }).waitFor();

    // With the text in order, the backend looks at what it names.
    await page.keyboard.press('Control+Shift+M');
    await page.locator('.markers-panel .monaco-list-row', { hasText: 'missing.safetensors' }).waitFor();

    await page.locator('.view-line', { hasText: '"kind"' }).getByText('"distill"').click();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.keyboard.type('"matching": {"weight": ');
    await page.keyboard.press('Control+Space');
    await page.locator('.suggest-widget .monaco-list-row', { hasText: '"sigma/alpha"' }).click();
    await page.locator('.view-line', { hasText: '"sigma/alpha"' }).waitFor();
    await page.keyboard.press('Control+S');
    await until('the file to be saved', () => readFileSync(file, 'utf8').includes('"sigma/alpha"'));
  },
);

editorTest('a new config begins as a preset and stays unsaved until the person saves it', {}, async ({ workbench }) => {
  await workbench.run('DMD: New Run Config...');
  // Of many presets only those on the screen have a row.
  await workbench.paletteRow('Two modes in the plane, real minus fake').waitFor();
  await workbench.quickInput.fill('CIFAR-10 by class');
  await workbench.pick('CIFAR-10 by class');
  await workbench.tab('cifar10.dmd.json').waitFor();
  await workbench.page.locator('.codelens-decoration a', { hasText: 'Start Run' }).waitFor();
  await workbench.page.locator('.tabs-container .tab.dirty', { hasText: 'cifar10.dmd.json' }).waitFor();
});

const task = { type: 'dmd', label: 'mine', config: 'mine.dmd.json', set: ['iterations=1'], problemMatcher: '$dmd' };
const tasks = JSON.stringify({ version: '2.0.0', tasks: [task] });

editorTest(
  'a config runs as a task, and its mistakes are listed',
  { files: { 'mine.dmd.json': mistaken, '.vscode/tasks.json': tasks } },
  async ({ workbench }) => {
    const { page } = workbench;
    // The task's terminal comes to the front: the list is opened once the mistake has been found.
    const counts = page.locator('#status\\.problems', { hasText: /^\s*1\s*0\s*$/ });
    // Right after its start the editor closes this picker again, before it has read tasks.json or as the row is clicked.
    await until(
      'the mistake to be found by the task',
      async () => {
        await workbench.run('Tasks: Run Task');
        const found = workbench.paletteRow('mine').click({ timeout: 10_000 });
        return found
          .then(() => counts.waitFor({ timeout: 30_000 }))
          .then(
            () => true,
            () => false,
          );
      },
      180,
    );
    await page.keyboard.press('Control+Shift+M');
    const row = page.locator('.markers-panel .monaco-list-row', { hasText: 'unknown key "sed"' });
    await row.waitFor();
    assert.match((await row.textContent()) ?? '', /\[Ln 4, Col 3\]/);
  },
);

const small = `{
  "kind": "distill",
  "iterations": 1,
  "batch": 1,
  "device": "cpu",
  "regression": { "enabled": false },
  "record": { "samplesEvery": 0, "fieldsEvery": 0, "probeEvery": 0, "histogramsEvery": 0 }
}
`;

editorTest(
  'a run starts from its config, unsaved changes included, and the config is compared with it',
  { files: { 'small.dmd.json': small } },
  async ({ server, workbench }) => {
    const { page } = workbench;
    const lens = (title: string) => page.locator('.codelens-decoration a', { hasText: title });
    await page.keyboard.press('Control+P');
    await workbench.quickInput.fill('small.dmd.json');
    await workbench.paletteRow('small.dmd.json').click();
    await lens('Start Run').waitFor();
    await page.locator('.view-line', { hasText: '"iterations"' }).click();
    await page.keyboard.press('End');
    await page.keyboard.type(' "seed": 5,');
    await lens('Start Run').click();
    const run = await theRun(join(server.workspace, 'runs'));
    await untilRun(run, 'finished', ({ state }) => state === 'finished');
    const used = JSON.parse(readFileSync(join(run, 'config.dmd.json'), 'utf8'));
    assert.deepEqual([used.seed, used.name], [5, 'small']);
    assert.match(readFileSync(join(server.workspace, 'small.dmd.json'), 'utf8'), /"seed": 5/, 'saved before it starts');

    await workbench.tab('small.dmd.json').click();
    await page.locator('.view-line', { hasText: '"seed": 5' }).click();
    await page.keyboard.press('End');
    await page.keyboard.type(' "labels": "none",');
    await lens('Compare with Last Run').click();
    await workbench.tab(/↔ small.dmd.json/).waitFor();
    // Both sides have every default: only what was changed differs.
    await page.locator('.monaco-diff-editor .editor.modified .view-line', { hasText: '"labels": "none"' }).waitFor();
    await page.locator('.monaco-diff-editor .editor.original .view-line', { hasText: '"labels": "uniform"' }).waitFor();
    for (const mark of ['.original .view-overlays .line-delete', '.modified .view-overlays .line-insert']) {
      await page.locator(`.monaco-diff-editor ${mark}`).first().waitFor();
      assert.equal(await page.locator(`.monaco-diff-editor ${mark}`).count(), 1, mark);
    }
  },
);
