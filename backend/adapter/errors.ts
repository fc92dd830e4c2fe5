/**
 * Every error of the adapter: a number that stays the same for good, what a person reads, and whether the editor shows it by itself or
 * leaves it to the place that asked. `{name}` is filled in by whoever throws. What the run says is passed on as `run`.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { describeError } from '../files/describe-error.ts';

interface Entry {
  readonly number: number;
  readonly words: string;
  /** False where the editor shows it already, e.g. at a watch expression or a breakpoint. */
  readonly shown: boolean;
}

const entry = (number: number, shown: boolean, words: string): Entry => ({ number, shown, words });

/** 9100: what was asked; 9200: the run; 9300: values. A number is never given away again. */
export const adapterErrors = {
  unknownRequest: entry(9101, false, 'this debugger knows no request "{request}"'),
  badArguments: entry(9102, false, '{request}: {where}: {problem}'),
  nothingToLaunch: entry(
    9103,
    true,
    'nothing says what to run: give "config", a file NAME.dmd.json, or "resume", a run folder',
  ),
  twoToLaunch: entry(9104, true, '"config" and "resume" are two runs: give one of them'),
  startedAlready: entry(9105, false, 'this session has its run already'),
  noRun: entry(9106, false, 'there is no run yet: launch or attach first'),
  unknownSource: entry(9107, false, 'no listing {source} in this session'),
  unknownReference: entry(9108, false, 'reference {reference} is of an earlier stop; ask for the variables again'),
  cancelled: entry(9109, false, 'cancelled'),
  bug: entry(9110, true, 'the debugger failed: {problem}'),
  run: entry(9201, true, '{message} {hint}'),
  runQuietly: entry(9202, false, '{message} {hint}'),
  ended: entry(9203, false, 'the run has ended'),
  notStopped: entry(9204, false, 'the run computes: pause it, or wait for a stop'),
  noException: entry(9205, false, 'the run did not stop at an exception'),
  notChangeable: entry(9301, true, '{name} cannot be changed'),
  badMemory: entry(9302, false, 'no memory {reference} at this stop'),
  notALimit: entry(9304, true, '{text} is no limit of "{wait}": give a number, such as 0.5'),
  pastTheEnd: entry(9303, true, '{tensor} has {size} bytes, and what is written would end at {end}'),
} as const;
export type ErrorName = keyof typeof adapterErrors;

export class AdapterError extends Error {
  readonly entry: Entry;
  readonly variables: Readonly<Record<string, string>>;

  constructor(name: ErrorName, variables: Readonly<Record<string, string>> = {}) {
    const { words } = adapterErrors[name];
    super(words.replace(/\{(\w+)\}/g, (_, key: string) => variables[key] ?? '').trim());
    this.entry = adapterErrors[name];
    this.variables = variables;
  }
}

/** As a response carries it. @param quiet the editor shows it where it was asked for */
export function errorBody(thrown: unknown, quiet: boolean): DebugProtocol.Message {
  const { entry, variables } = asAdapterError(thrown, quiet);
  const { number: id, words: format, shown: showUser } = entry;
  return { id, format, showUser, variables: { ...variables } };
}

function asAdapterError(thrown: unknown, quiet: boolean): AdapterError {
  if (thrown instanceof AdapterError) return thrown;
  const { kind, message, hint } = describeError(thrown);
  if (kind === 'cancelled') return new AdapterError('cancelled');
  if (kind === 'bug') return new AdapterError('bug', { problem: message });
  return new AdapterError(quiet ? 'runQuietly' : 'run', { message, hint });
}
