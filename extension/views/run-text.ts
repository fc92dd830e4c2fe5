/** What a run is called and how far it is, in words: for the list, its tooltips and the status bar. */
import * as vscode from 'vscode';
import type { RunRecord, ShownState } from '../../backend/protocol/rpc/index.ts';
import { duration, line, localTime, percent } from './format.ts';

export function stateName(state: ShownState): string {
  const names: Record<ShownState, string> = {
    queued: vscode.l10n.t('queued'),
    running: vscode.l10n.t('running'),
    paused: vscode.l10n.t('paused'),
    stopping: vscode.l10n.t('stopping'),
    stopped: vscode.l10n.t('stopped'),
    finished: vscode.l10n.t('finished'),
    failed: vscode.l10n.t('failed'),
    interrupted: vscode.l10n.t('interrupted'),
    damaged: vscode.l10n.t('damaged'),
  };
  return names[state];
}

/** A process works on it. */
export function isActive({ state }: RunRecord): boolean {
  return state === 'queued' || state === 'running' || state === 'paused' || state === 'stopping';
}

/** "1200/5000 · 24% · 12 min left"; what it does instead of iterations, where it does something else. */
export function progressText(run: RunRecord): string {
  const { work } = run;
  if (work) {
    const unit = work.label.split(' ').includes(work.unit) ? '' : work.unit; // "pairs 3/32", not "pairs 3/32 pairs"
    const count = work.total > 0 ? `${work.label} ${work.done}/${work.total} ${unit}`.trim() : work.label;
    return line([count, percent(work.done, work.total)]);
  }
  const left = run.state === 'running' ? duration(run.secondsLeft) : '';
  return line([
    run.iterations > 0 ? `${run.step}/${run.iterations}` : '',
    run.state === 'finished' ? '' : percent(run.step, run.iterations),
    left === '' ? '' : vscode.l10n.t('{0} left', left),
  ]);
}

/** Beside the name in the list. */
export function runDescription(run: RunRecord): string {
  const state = run.state === 'running' || run.state === 'finished' ? '' : stateName(run.state);
  return line([state, progressText(run), run.device, run.tags.map((tag) => `#${tag}`).join(' ')]);
}

/** What a screen reader says, and quick picks search. */
export function runSentence(run: RunRecord): string {
  return [run.name, stateName(run.state), progressText(run).replaceAll(' · ', ', '), ...run.tags]
    .filter(Boolean)
    .join(', ');
}

/** Everything known about a run. Its texts come from files and are shown as text, never as Markdown. */
export function runTooltip(run: RunRecord): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString();
  const row = (name: string, value: string | null) => {
    if (value === null || value === '') return;
    tooltip.appendMarkdown('\n\n').appendText(`${name}: ${value}`);
  };
  tooltip.appendMarkdown('**').appendText(run.name).appendMarkdown('**');
  row(vscode.l10n.t('State'), line([stateName(run.state), progressText(run)]));
  row(vscode.l10n.t('Error'), run.error && [run.error.message, run.error.hint].filter(Boolean).join(' '));
  row(vscode.l10n.t('Kind'), kindName(run));
  row(vscode.l10n.t('Device'), run.device);
  row(vscode.l10n.t('Threads'), run.threads > 0 ? String(run.threads) : '');
  row(vscode.l10n.t('Ranks'), run.ranks > 1 ? String(run.ranks) : '');
  row(vscode.l10n.t('Tags'), run.tags.join(', '));
  row(vscode.l10n.t('Created'), run.createdAt && localTime(run.createdAt, vscode.env.language));
  row(vscode.l10n.t('Started'), run.startedAt && localTime(run.startedAt, vscode.env.language));
  row(vscode.l10n.t('Ended'), run.endedAt && localTime(run.endedAt, vscode.env.language));
  row(vscode.l10n.t('Process'), run.process && processText(run.process));
  row(vscode.l10n.t('Folder'), run.folder);
  return tooltip;
}

function kindName({ kind }: RunRecord): string {
  if (kind === null) return '';
  return kind === 'distill' ? vscode.l10n.t('distillation') : vscode.l10n.t('teacher training');
}

function processText({ pid, reachable }: { pid: number; reachable: boolean }): string {
  return reachable ? String(pid) : vscode.l10n.t('{0}, which cannot be reached from here', pid);
}
