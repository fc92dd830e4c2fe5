/** The commands about runs. What they do is in run-actions.ts, which is loaded with the protocol at the first use. */
import * as vscode from 'vscode';
import type { RunRecord } from '../../backend/protocol/rpc/index.ts';
import type { Services } from '../services.ts';
import { isActive } from '../views/run-text.ts';

type Actions = typeof import('./run-actions.ts');

/** What package.json's keys give to a command. */
const byKeyboard = 'keyboard';

interface RunCommand {
  readonly fits: (run: RunRecord) => boolean;
  /** Title of the pick when the command is not called from a menu. */
  readonly title: string;
  readonly none: string;
  /** For the error: "Could not ...". */
  readonly what: string;
  readonly many?: boolean;
  run(actions: Actions, runs: readonly RunRecord[]): Promise<unknown>;
}

/** @param focused what a key in the runs view is about */
export function registerRunCommands(
  context: vscode.ExtensionContext,
  services: Services,
  focused: () => PromiseLike<readonly unknown[]> = async () => [],
): void {
  const { errors } = services;
  const register = (id: string, handler: (...args: unknown[]) => unknown) =>
    context.subscriptions.push(vscode.commands.registerCommand(id, handler));

  for (const [id, command] of Object.entries(runCommands(services))) {
    register(id, (...args) =>
      errors.guard(command.what, async () => {
        const [{ targetRuns }, actions] = await Promise.all([import('./run-targets.ts'), import('./run-actions.ts')]);
        const named = args[0] === byKeyboard ? [undefined, await focused()] : args;
        const runs = await targetRuns(named, services.runs, command);
        if (runs.length > 0) await command.run(actions, runs);
      }),
    );
  }
  const whenListed = services.runs.onDidChange(() => {
    whenListed.dispose();
    if (!vscode.workspace.isTrusted) return;
    import('./delete-runs.ts')
      .then(({ finishDeletions }) => finishDeletions(services))
      .catch((error) => errors.log(error, 'Could not finish the deletion of runs'));
  });
  context.subscriptions.push(whenListed);
  register('dmd.startDistillation', () =>
    errors.guard(vscode.l10n.t('Could not start a run'), async () =>
      (await import('./start-distillation.ts')).startDistillation(services),
    ),
  );
  register('dmd.copyPythonRecorder', () =>
    errors.guard(vscode.l10n.t('Could not copy the Python recorder'), async () =>
      (await import('./copy-python-recorder.ts')).copyPythonRecorder(context.extensionUri),
    ),
  );
}

function runCommands(services: Services): Record<string, RunCommand> {
  const { t } = vscode.l10n;
  const reachable = (run: RunRecord) => run.process?.reachable === true;
  const whole = { fits: () => true, none: t('There are no runs yet.') };
  return {
    'dmd.pauseRun': {
      fits: (run) => run.state === 'running' && reachable(run),
      title: t('Pause Run'),
      none: t('No run is running that can be paused from here.'),
      what: t('Could not pause the run'),
      many: true,
      run: (actions, runs) => actions.command(services, runs, 'pause'),
    },
    'dmd.resumeRun': {
      fits: (run) => ['paused', 'stopped', 'interrupted', 'failed'].includes(run.state),
      title: t('Resume Run'),
      none: t('No run is paused, stopped, interrupted or failed.'),
      what: t('Could not resume the run'),
      many: true,
      run: (actions, runs) => actions.goOn(services, runs),
    },
    'dmd.resumeWithChanges': {
      fits: (run) => ['stopped', 'interrupted', 'failed'].includes(run.state),
      title: t('Resume Run with Changes'),
      none: t('No run is stopped, interrupted or failed.'),
      what: t('Could not resume the run'),
      run: async (_, runs) => (await import('./resume-with-changes.ts')).resumeWithChanges(services, runs),
    },
    'dmd.stopRun': {
      fits: (run) => isActive(run) && run.state !== 'stopping' && reachable(run),
      title: t('Stop Run'),
      none: t('No run is running that can be stopped from here.'),
      what: t('Could not stop the run'),
      many: true,
      run: (actions, runs) => actions.command(services, runs, 'stop'),
    },
    'dmd.checkpointRun': {
      fits: (run) => (run.state === 'running' || run.state === 'paused') && reachable(run),
      title: t('Save Checkpoint Now'),
      none: t('No run is running that can be reached from here.'),
      what: t('Could not save a checkpoint'),
      many: true,
      run: (actions, runs) => actions.command(services, runs, 'checkpoint'),
    },
    'dmd.compareRuns': {
      ...whole,
      title: t('Compare Runs'),
      what: t('Could not compare the runs'),
      many: true,
      run: async (_, runs) =>
        vscode.commands.executeCommand(
          'dmd.openMonitor',
          runs.map(({ folder }) => folder),
        ),
    },
    'dmd.renameRun': {
      ...whole,
      title: t('Rename Run'),
      what: t('Could not rename the run'),
      run: (actions, runs) => actions.rename(services, runs),
    },
    'dmd.tagRun': {
      ...whole,
      title: t('Edit Tags'),
      what: t("Could not change the run's tags"),
      run: (actions, runs) => actions.tag(services, runs),
    },
    'dmd.deleteRun': {
      ...whole,
      title: t('Delete Run'),
      what: t('Could not delete the run'),
      many: true,
      run: async (_, runs) => (await import('./delete-runs.ts')).deleteRuns(services, runs),
    },
    'dmd.openRunFolder': {
      ...whole,
      title: t('Open Run Folder'),
      what: t('Could not open the run folder'),
      run: (actions, runs) => actions.reveal(runs),
    },
    'dmd.openRunConfig': {
      ...whole,
      title: t('Open Config of Run'),
      what: t("Could not open the run's config"),
      run: (actions, runs) => actions.openConfig(runs),
    },
    'dmd.copyCommandLine': {
      ...whole,
      title: t('Copy Command Line'),
      what: t('Could not copy the command line'),
      run: (actions, runs) => actions.copyCommandLine(services, runs),
    },
    'dmd.generateWithRun': {
      ...whole,
      title: t('Generate with This Run'),
      what: t('Could not generate an image with the run'),
      run: (actions, runs) => actions.generateWith(services, runs),
    },
  };
}
