/** A run in the editor: started, watched, found again after a reload, alive without the editor, stopped. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readRun } from '../../backend/runs/run-folder.ts';
import { editorTest } from './driver/editor-test.ts';
import { isAlive, listeningPorts } from './driver/processes.ts';
import { theRun, untilRun } from './driver/recorded.ts';
import { until } from './driver/until.ts';

editorTest('a run outlives the window and the editor', {}, async ({ server, workbench }) => {
  await workbench.run('DMD: Start the Built-in Run');
  const run = await theRun(join(server.workspace, 'runs'));
  await untilRun(run, 'running', ({ state }) => state === 'running');

  const backend = server.backend()!;
  const owner = readRun(run).owner!;
  assert.deepEqual(listeningPorts(backend.pid), [], 'the backend opens no port');
  assert.deepEqual(listeningPorts(owner.pid), [], 'a run opens no port');

  await server.kill();
  await until('the backend to be gone', () => !isAlive(backend.pid), 5);
  assert.ok(isAlive(owner.pid), 'the run goes on');
  await server.launch();
  await workbench.open(server.url);
});
