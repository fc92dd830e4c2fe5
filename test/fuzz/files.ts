/** An input: files by their path in a folder, with forward slashes. What is no file, such as a message, lies in one too. */
import fs from 'node:fs';
import path from 'node:path';

export type Files = Readonly<Record<string, Uint8Array | string>>;

export function writeFiles(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
}

export function readFiles(folder: string): Record<string, Uint8Array> {
  const names = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = names.map((entry) => path.join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files.map((file) => [path.relative(folder, file).replaceAll(path.sep, '/'), fs.readFileSync(file)]),
  );
}

export const sizeOf = (files: Files) =>
  Object.values(files).reduce((sum, content) => sum + Buffer.byteLength(content), 0);
