/**
 * Goes on with a run whose config is changed first: a list of its values, each of which can be another one. A run that was
 * stopped since numbers became NaN would stop at the same step again: half the learning rate is proposed.
 */
import * as vscode from 'vscode';
import { openRun, type RunRecord, resumeRun } from '../../backend/protocol/rpc/index.ts';
import type { Services } from '../services.ts';

type Value = string | number | boolean | null;

/** Of the process, or what makes the run this run. */
const notOffered = /^(\$schema|kind|name|out|seed)$/;
/** What people change when a run did not do well, before everything else. */
const first = [/(^|\.)lr$/, /^(iterations|generator\.|fake\.|optimizer\.|regression\.lambda)/];

export async function resumeWithChanges({ backend }: Services, [run]: readonly RunRecord[]): Promise<void> {
  if (!run) return;
  const { folder, name, error } = run;
  const { config } = await backend.request(openRun, { folder });
  const values = leaves(JSON.parse(config || '{}'));
  const set = await chooseChanges(name, values, error?.stop === undefined ? new Map() : proposed(values));
  if (!set) return;
  const title = vscode.l10n.t('Resuming {0}', name);
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    (_, token) => backend.request(resumeRun, { folder, set }, token),
  );
}

/** Half of every learning rate that the run's network has: `generator.lr` of a distillation, else `optimizer.lr`. */
export function proposed(values: ReadonlyMap<string, Value>): Map<string, string> {
  const key = ['generator.lr', 'optimizer.lr'].find((rate) => typeof values.get(rate) === 'number');
  return new Map(key === undefined ? [] : [[key, String(Number((Number(values.get(key)) / 2).toPrecision(6)))]]);
}

/** @returns `key.of.it=value` of each change; undefined when the person changed their mind */
async function chooseChanges(
  name: string,
  values: ReadonlyMap<string, Value>,
  changes: Map<string, string>,
): Promise<string[] | undefined> {
  const keys = inOrder([...values.keys()].filter((key) => !notOffered.test(key)));
  for (;;) {
    const resume = {
      label: `$(debug-continue) ${vscode.l10n.t('Resume')}`,
      ...(changes.size > 0 ? { description: [...changes].map(([key, value]) => `${key} = ${value}`).join(', ') } : {}),
      key: null,
      alwaysShow: true,
    };
    const separator = {
      label: vscode.l10n.t('Change first'),
      kind: vscode.QuickPickItemKind.Separator,
      key: null,
    };
    const items = keys.map((key) => ({ label: key, description: describe(values.get(key)!, changes.get(key)), key }));
    const picked = await vscode.window.showQuickPick([resume, separator, ...items], {
      title: vscode.l10n.t('Resume {0} with Changes', name),
      placeHolder: vscode.l10n.t('Resume, or choose a value to change'),
      matchOnDescription: true,
    });
    if (!picked) return undefined;
    if (picked.key === null) return [...changes].map(([key, value]) => `${key}=${value}`);
    await changeOne(picked.key, values.get(picked.key)!, changes);
  }
}

async function changeOne(key: string, value: Value, changes: Map<string, string>): Promise<void> {
  const text = await vscode.window.showInputBox({
    title: key,
    prompt: vscode.l10n.t('The run has {0}. Empty: as it is.', String(value)),
    value: changes.get(key) ?? String(value),
    validateInput: (typed) =>
      typeof value === 'number' && typed.trim() !== '' && !Number.isFinite(Number(typed))
        ? vscode.l10n.t('Type a number.')
        : undefined,
  });
  if (text === undefined) return;
  const typed = text.trim();
  if (typed === '' || typed === String(value)) changes.delete(key);
  else changes.set(key, typed);
}

function describe(value: Value, change: string | undefined): string {
  return change === undefined ? String(value) : `${value} → ${change}`;
}

function inOrder(keys: readonly string[]): string[] {
  const rank = (key: string) => first.findIndex((pattern) => pattern.test(key)) >>> 0; // -1 comes last
  return [...keys].sort((a, b) => rank(a) - rank(b));
}

/** Single values by their dotted path; lists are not changed here. */
export function leaves(config: unknown, path = ''): Map<string, Value> {
  if (typeof config !== 'object' || config === null) return new Map([[path, config as Value]]);
  if (Array.isArray(config)) return new Map();
  return new Map(
    Object.entries(config).flatMap(([key, inner]) => [...leaves(inner, path === '' ? key : `${path}.${key}`)]),
  );
}
