/** What a task of the type `dmd` says, and the command line that does it. No `vscode` in here. */
import { type ConfigKind, commandOfKind, configKinds } from '../../backend/protocol/config/index.ts';
import { l10n } from '../l10n.ts';

/** As in tasks.json, checked. Exactly one of `config`, `preset`, `resume` is there. */
export interface DmdTask {
  readonly config?: string;
  readonly preset?: string;
  /** Folder of a run that goes on. */
  readonly resume?: string;
  /** For what does not say it itself. */
  readonly kind?: ConfigKind;
  /** `key=value` each. */
  readonly set: readonly string[];
}

const sources = ['config', 'preset', 'resume'] as const;

/** The task, or in words what is wrong with it. */
export function readTask(definition: Readonly<Record<string, unknown>>): DmdTask | string {
  const given = sources.filter((key) => definition[key] !== undefined);
  const [source] = given;
  if (!source || given.length > 1) return l10n.t('one of "config", "preset" and "resume" must be there');
  const value = definition[source];
  if (typeof value !== 'string' || value === '') return l10n.t('"{0}" must be a text', source);
  const { kind, set = [] } = definition;
  if (kind !== undefined && !isKind(kind)) return l10n.t('"kind" must be one of {0}', configKinds.join(', '));
  if (!Array.isArray(set) || !set.every(isAssignment)) return l10n.t('"set" must be a list of texts "key=value"');
  return { [source]: value, set, ...(kind === undefined ? {} : { kind }) };
}

function isKind(value: unknown): value is ConfigKind {
  return configKinds.some((kind) => kind === value);
}

function isAssignment(value: unknown): value is string {
  return typeof value === 'string' && /^[^=]+=/.test(value);
}

/**
 * The arguments of `dmd`.
 * @param kind what the config is, which decides the command
 * @param out folder for the run folder; undefined where the config or the run says it
 */
export function taskArguments(task: DmdTask, kind: ConfigKind, out: string | undefined): string[] {
  const { config, preset, resume = '', set } = task;
  const command = commandOfKind(kind);
  const changes = set.flatMap((assignment) => ['--set', assignment]);
  if (config === undefined && preset === undefined) return [command, '--resume', resume, ...changes];
  // A name such as "-x.dmd.json" is a file, not an option.
  const source = preset === undefined ? [`${config?.startsWith('-') ? './' : ''}${config}`] : ['--preset', preset];
  return [command, ...source, ...changes, ...(out === undefined ? [] : ['--out', out])];
}
