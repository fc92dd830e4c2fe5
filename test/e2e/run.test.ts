/** A run in the editor: started, found again after a reload, alive without the editor, stopped. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readRun } from '../../backend/runs/folder/run-folder.ts';
import { editorTest } from './driver/editor-test.ts';
import { isAlive, listeningPorts } from './driver/processes.ts';
import { theRun, untilRun } from './driver/recorded.ts';
import { until } from './driver/until.ts';

editorTest('a run outlives the window and the editor', { newestOnly: true }, async ({ server, workbench }) => {
  await workbench.run('DMD: Start the Built-in Run');
  const run = await theRun(join(server.workspace, 'runs'));
  await untilRun(run, 'running', ({ state }) => state === 'running');
  const { pid } = readRun(run).owner!;

  const backend = server.backend()!;
  assert.deepEqual(listeningPorts(backend.pid), [], 'the backend opens no port');
  assert.deepEqual(listeningPorts(pid), [], 'a run opens no port');

  await workbench.reload();
  await workbench.openViews();
  await workbench.row('Runs', 'first-run').waitFor();
  await workbench.statusItem('first-run').waitFor();
  assert.equal(readRun(run).owner?.pid, pid, 'the same process goes on');

  const second = (await until('a backend of the new window', () => server.backend()))!;
  await server.kill();
  await until('the backend to be gone', () => !isAlive(second.pid), 5);
  assert.ok(isAlive(pid), 'the run goes on without the editor');

  await server.launch();
  await workbench.open(server.url);
  await workbench.openViews();
  await workbench.row('Runs', 'first-run').hover();
  await workbench.row('Runs', 'first-run').getByRole('button', { name: 'Stop Run' }).click();
  await untilRun(run, 'stopped', ({ state }) => state === 'stopped');
  await workbench.row('Runs', /first-run.*stopped/).waitFor();
  // It says that it is stopped before it puts away its threads and its socket.
  await until('the process of the run to be gone', () => !isAlive(pid), 10);
});
