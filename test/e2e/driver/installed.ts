/** What the editor tests need from scripts/: the editors in the cache, Chromium, and the packed extension. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Editor {
  /** Version of VS Code, e.g. 1.100.3. */
  readonly vscode: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Why it cannot be tested, or undefined. */
  readonly missing: string | undefined;
}

interface EditorScripts {
  editors: { vscode: string }[];
  editorPaths(editor: { vscode: string }): { folder: string; command: string; args: string[] };
  findChromium(): string | undefined;
}
interface PackageScripts {
  packageExtension(options: { folder: string }): Promise<string>;
}

const scripts = new URL('../../../scripts/lib/', import.meta.url);
const { editors, editorPaths, findChromium }: EditorScripts = await import(new URL('editor.mjs', scripts).href);

export const chromium = findChromium();

/** Every editor to test on; DMD_TEST_EDITOR=1.100.3 chooses one. */
export function testedEditors(): Editor[] {
  const chosen = editors.filter(({ vscode }) => vscode === (process.env.DMD_TEST_EDITOR ?? vscode));
  return chosen.map((editor) => {
    const { folder, command, args } = editorPaths(editor);
    const problem = process.env.DMD_TEST_EDITOR_PROBLEM ?? 'npm run test:e2e installs it';
    const missing = !existsSync(folder) ? `VS Code ${editor.vscode}: ${problem}` : chromium ? undefined : 'no Chromium';
    return { vscode: editor.vscode, command, args, missing };
  });
}

let packed: Promise<string> | undefined;
let installed: string | undefined;

/** The extension's .vsix: what scripts/test.mjs made, else one made now. */
export function packedExtension(): Promise<string> {
  packed ??= process.env.DMD_TEST_VSIX ? Promise.resolve(process.env.DMD_TEST_VSIX) : pack();
  return packed;
}

/** Where editors keep what they installed from it: for all files of scripts/test.mjs, else for this one. */
export function installedFolder(): string {
  installed ??= process.env.DMD_TEST_INSTALLED ?? temporary('dmd-installed-');
  return installed;
}

async function pack(): Promise<string> {
  const { packageExtension }: PackageScripts = await import(new URL('package.mjs', scripts).href);
  return packageExtension({ folder: temporary('dmd-vsix-') });
}

function temporary(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
