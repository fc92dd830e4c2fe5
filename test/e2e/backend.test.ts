/** The views are filled by a backend that starts when they are looked at; one that dies is missed, said and replaced. */
import assert from 'node:assert/strict';
import { editorTest } from './driver/editor-test.ts';
import { until } from './driver/until.ts';

editorTest(
  'a crash of the backend is told, and the views come back',
  { newestOnly: true },
  async ({ server, workbench }) => {
    assert.equal(server.backend(), undefined, 'nothing is started before somebody asks');
    await workbench.openViews();
    await workbench.view('Runs').getByText('No runs yet').waitFor();
    await workbench.row('Models', 'Scenes, one-step generator').waitFor();
    const first = (await until('the backend', () => server.backend()))!;

    process.kill(first.pid, 'SIGKILL');
    await workbench.notification(/The backend crashed \(SIGKILL\): it is started again/).waitFor();
    const second = (await until('another backend', () => server.backend()))!;
    assert.notEqual(second.pid, first.pid);
    await workbench.row('Models', 'Scenes, one-step generator').waitFor();

    await workbench.run('DMD: Restart Backend');
    await until('a third backend', () => {
      const now = server.backend();
      return now && now.pid !== second.pid ? now : undefined;
    });
  },
);
