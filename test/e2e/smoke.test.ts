/** The packed extension, installed into the real editor, is there and says what to do next. */
import assert from 'node:assert/strict';
import { editorTest } from './driver/editor-test.ts';

editorTest('the extension starts and says what to do next', {}, async ({ server, workbench }) => {
  assert.equal(server.backend(), undefined, 'nothing is started before it is needed');
  await workbench.openViews();
  const runs = workbench.view('Runs');
  await runs.getByText('No runs yet.').waitFor();
  for (const name of ['Start the Built-in Run', 'Start Distillation...'])
    await runs.getByRole('button', { name }).waitFor();
  await workbench.row('Models', 'Scenes, one-step generator').waitFor();
  await workbench.row('Models', 'Scenes, teacher').waitFor();
  assert.ok(server.backend(), 'the backend lists runs and models');

  await workbench.openPalette('DMD: Show Version and Devices');
  await workbench.paletteRow('DMD: Show Version and Devices').waitFor();
});
