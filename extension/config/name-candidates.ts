/** What a name in a config can be. Loaded when the first one is completed. */
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import * as vscode from 'vscode';
import { expandPath } from '../../backend/protocol/path-text.ts';
import { listModels } from '../../backend/protocol/rpc/index.ts';
import type { Services } from '../services.ts';
import { fits, type NameAt } from './name-at.ts';

export interface Candidate {
  readonly name: string;
  readonly detail: string;
  readonly isFolder: boolean;
}

/** @param file the config: relative paths are taken from its folder */
export async function candidates(
  at: NameAt,
  file: string,
  services: Services,
  token: vscode.CancellationToken,
): Promise<Candidate[]> {
  const known = at.kind === 'teacher' ? models(services, token) : [];
  return [...(await known), ...(await entries(at, dirname(file)))];
}

/** Built-in, imported and trained ones; none where the backend cannot say. */
async function models({ backend, roots, modelFiles, errors }: Services, token: vscode.CancellationToken) {
  if (!vscode.workspace.isTrusted) return [];
  try {
    const all = await backend.request(listModels, { roots: roots.list(), files: modelFiles.paths() }, token);
    return all
      .filter(({ role, problem }) => role === 'teacher' && problem === '')
      .map(({ model, title }) => ({ name: model, detail: title, isFolder: false }));
  } catch (error) {
    errors.log(error, 'Could not list the models for a completion');
    return [];
  }
}

/** What lies in the folder that is typed so far; nothing where there is none. */
async function entries({ kind, typed }: NameAt, base: string): Promise<Candidate[]> {
  const folder = /^.*[\\/]/.exec(typed)?.[0] ?? '';
  const found = await readdir(resolve(base, expandPath(folder, homedir())), { withFileTypes: true }).catch(() => []);
  return found
    .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
    .filter(({ name, isFolder }) => fits(kind, name, isFolder))
    .map(({ name, isFolder }) => ({ name: `${folder}${name}${isFolder ? '/' : ''}`, detail: '', isFolder }));
}
