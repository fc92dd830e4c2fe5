/**
 * Says once that a run ended: it finished, stopped at an error such as the first NaN, or its process is gone; also when that
 * happened while no window was open. Names the error and, where there is one, the gravest alarm of its health, and leads to what to
 * do next. `dmd.notifications` turns all of it off. Like the status bar, it asks for no list of its own.
 */
import * as vscode from 'vscode';
import type { RunRecord, RunVerdict } from '../backend/protocol/rpc/index.ts';
import { sentence } from './error-text.ts';
import { openLog } from './run-log.ts';
import type { Services } from './services.ts';

/** Of a text from a file: a notification is cut at a thousand characters. */
const mostCharacters = 400;
/** Of notifications at once: more are one. */
const most = 3;

type Folder = Pick<RunRecord, 'folder'>;

export function registerRunNotices(context: vscode.ExtensionContext, services: Services): void {
  const { runs, news, errors } = services;
  const look = (run: RunRecord | undefined) => {
    const ended = news.look(run ? [run] : runs.list());
    if (!run) news.upToNow(runs.list());
    if (ended.length === 0 || !wanted()) return;
    for (const { folder, state } of ended) if (state !== 'finished') news.mark(folder);
    if (ended.length > most) return tellTogether(ended);
    for (const one of ended)
      notify(one, services).catch((error) => errors.log(error, 'Could not tell of a run that ended'));
  };
  context.subscriptions.push(runs.onDidChange(look));
}

const wanted = () => vscode.workspace.getConfiguration('dmd').get<boolean>('notifications', true);

function tellTogether(ended: readonly RunRecord[]): void {
  const finished = ended.filter(({ state }) => state === 'finished').length;
  const show = vscode.l10n.t('Show Runs');
  const text = vscode.l10n.t(
    '{0} runs ended: {1} finished, {2} did not.',
    ended.length,
    finished,
    ended.length - finished,
  );
  vscode.window.showInformationMessage(text, show).then((chosen) => {
    if (chosen === show) vscode.commands.executeCommand('dmd.runs.focus');
  });
}

async function notify(run: RunRecord, services: Services): Promise<void> {
  const alarm = await gravestAlarm(run, services);
  const text = plain(
    [outcome(run), alarm ? alarmText(alarm) : sentence(run.error?.hint ?? ''), deviceToAvoid(run)]
      .filter(Boolean)
      .join(' '),
  );
  const actions = actionsFor(run, services);
  const titles = [...actions.keys()];
  const answered = (chosen: string | undefined) =>
    services.errors.guard(vscode.l10n.t('Could not show the run'), async () => {
      if (chosen === undefined) return; // put aside
      services.news.seen(run.folder);
      await actions.get(chosen)?.();
    });
  if (run.state === 'finished') vscode.window.showInformationMessage(text, ...titles).then(answered);
  else if (run.state === 'failed') vscode.window.showErrorMessage(text, ...titles).then(answered);
  else vscode.window.showWarningMessage(text, ...titles).then(answered);
}

/** What the buttons do, by their titles. */
function actionsFor({ folder, state, error }: RunRecord, services: Services): Map<string, () => PromiseLike<unknown>> {
  const run = (command: string, argument: string | (Folder & { stopped: number })) =>
    vscode.commands.executeCommand(command, argument);
  const actions = new Map<string, () => PromiseLike<unknown>>();
  actions.set(vscode.l10n.t('Open Monitor'), () => run('dmd.openMonitor', folder));
  if (state === 'finished') return actions;
  const stopped = error?.stop;
  if (stopped !== undefined) {
    actions.set(vscode.l10n.t('Show the Stopped Step'), () => run('dmd.openMonitor', { folder, stopped }));
  }
  actions.set(vscode.l10n.t('Resume with Changes…'), () => run('dmd.resumeWithChanges', folder));
  if (stopped === undefined) actions.set(vscode.l10n.t('Show Log'), () => openLog(folder, services.log));
  return actions;
}

function outcome({ name, step, state, error }: RunRecord): string {
  if (state === 'finished') return vscode.l10n.t('The run "{0}" finished after step {1}.', name, step);
  if (state === 'interrupted') {
    return vscode.l10n.t('The run "{0}" was interrupted after step {1}: its process ended without a word.', name, step);
  }
  if (!error) return vscode.l10n.t('The run "{0}" failed after step {1}.', name, step);
  return sentence(vscode.l10n.t('The run "{0}" failed after step {1}: {2}', name, step, shortened(error.message)));
}

/** A process that ends without a word was mostly ended by its device's own code; the processor's is the surest. */
function deviceToAvoid({ state, device }: RunRecord): string {
  if (state !== 'interrupted' || device === '' || /^cpu\b/.test(device)) return '';
  return vscode.l10n.t('It computed on {0}: if that happens again, avoid this device and resume on cpu.', device);
}

function alarmText({ title, step, statement, advice }: RunVerdict): string {
  const said = [statement, advice].map(sentence).join(' ');
  return vscode.l10n.t('Health alarm in step {0}, {1}: {2}', step, title, shortened(said));
}

/** Undefined where there is none, or where the recorded numbers cannot be read: the run's own error is told in any case. */
async function gravestAlarm({ folder }: Folder, { backend, errors }: Services): Promise<RunVerdict | undefined> {
  try {
    const { readHealth } = await import('../backend/protocol/rpc/index.ts');
    const { verdicts } = await backend.request(readHealth, { folder });
    return verdicts.find(({ severity }) => severity === 'alarm');
  } catch (error) {
    errors.log(error, "Could not read a run's health");
    return undefined;
  }
}

function shortened(text: string): string {
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters - 1).trimEnd()}…` : text;
}

/** Names and errors come from files: a link in them, which a notification would show as one that calls commands, is none. */
function plain(text: string): string {
  return text.replaceAll('](', '] (');
}
