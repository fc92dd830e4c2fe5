/** Looks for findings in a thread of its own: a teacher may have hundreds of megabytes. */
import fs from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { describeError } from '../../files/describe-error.ts';
import type { Finding } from '../../methods/common/finding.ts';
import type { OpenOptions } from '../../models/model-file.ts';
import { loadTeacher, type Teacher } from '../../models/teacher.ts';
import type { Config } from '../../protocol/config/index.ts';
import type { ErrorMessage } from '../../protocol/run-messages.ts';
import { findingsOf } from './findings.ts';

export interface FindingsAnswer {
  readonly id: number;
  readonly findings: readonly Finding[];
  /** A bug. */
  readonly error: ErrorMessage | null;
}

let known: { readonly key: string; readonly teacher: Teacher } | undefined;

/** The last teacher stays, without its weights, for the next change of the config. */
async function openTeacher(name: string, { network }: OpenOptions = {}): Promise<Teacher> {
  const status = name.startsWith('builtin:') ? undefined : fs.statSync(name, { throwIfNoEntry: false });
  const key = [name, JSON.stringify(network), status?.ino, status?.mtimeMs, status?.size].join();
  if (known?.key === key) return known.teacher;
  const teacher = { ...(await loadTeacher(name, { network })), weights: new Map() };
  known = { key, teacher };
  return teacher;
}

let last = Promise.resolve();

parentPort!.on('message', ({ id, config }: { id: number; config: Config }) => {
  const answer = (findings: readonly Finding[], error: ErrorMessage | null) =>
    parentPort!.postMessage({ id, findings, error } satisfies FindingsAnswer);
  last = last.then(async () => {
    try {
      answer(await findingsOf(config, openTeacher), null);
    } catch (error) {
      answer([], describeError(error));
    }
  });
});
