/** Asks what is wrong with a config. Loaded at the first check. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import * as vscode from 'vscode';
import { configProblems } from '../../backend/protocol/config/index.ts';
import { type ConfigProblem, checkConfig } from '../../backend/protocol/rpc/index.ts';
import { isCancelled } from '../errors.ts';
import type { Services } from '../services.ts';
import { cancelledWith } from './cancellation.ts';

/**
 * What the backend says, which knows files and models too. Where it may not run or cannot, at least what is wrong with the
 * text by itself.
 */
export async function check(
  document: vscode.TextDocument,
  { backend, errors }: Services,
  signal: AbortSignal,
): Promise<readonly ConfigProblem[]> {
  const text = document.getText();
  if (!vscode.workspace.isTrusted) return ofTheText(text);
  const { token, dispose } = cancelledWith(signal);
  try {
    return await backend.request(checkConfig, { text, file: fileOf(document.uri) }, token);
  } catch (error) {
    if (isCancelled(error)) throw error;
    errors.log(error, 'Could not check a config with the backend');
    return ofTheText(text);
  } finally {
    dispose();
  }
}

/** Where relative paths are taken from; a new document may have a name only. */
function fileOf(uri: vscode.Uri): string {
  return resolve(homedir(), uri.fsPath);
}

function ofTheText(text: string): readonly ConfigProblem[] {
  return configProblems(text).map(({ code, offset, length, what, replacement }) => ({
    code,
    offset,
    length,
    message: what,
    severity: 'error',
    replacement,
  }));
}
