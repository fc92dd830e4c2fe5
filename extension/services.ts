/**
 * What every part of the extension shares. A part is a function `registerX(context, services)`, called once at activation.
 *
 * Activation has to be over in 50 ms, so a file that it loads imports neither protocol/rpc nor vscode-jsonrpc (their schemas
 * alone take longer) except as types: a part registers its commands and views, and its handlers load what they need with
 * `await import('./the-rest.ts')`, which may import anything at its top. test/unit/extension-activation.test.ts holds to it.
 */
import type * as vscode from 'vscode';
import type { Backend } from './backend/backend.ts';
import type { Errors } from './errors.ts';
import type { ModelFiles } from './model-files.ts';
import type { RunNews } from './run-news.ts';
import type { RunRoots } from './run-roots.ts';
import type { Runs } from './runs.ts';

export interface Services {
  /** Where this extension lies: its pages, its icon. */
  readonly extensionUri: vscode.Uri;
  readonly backend: Backend;
  /** "DMD Workbench" in the output view. */
  readonly log: vscode.LogOutputChannel;
  readonly errors: Errors;
  /** Where runs are, and where new ones go. */
  readonly roots: RunRoots;
  /** The runs of those folders, kept up to date by the backend. */
  readonly runs: Runs;
  /** Which ends of runs nobody was told of, and which failures nobody has looked at. */
  readonly news: RunNews;
  /** Model files that the person imported or exported. */
  readonly modelFiles: ModelFiles;
}
