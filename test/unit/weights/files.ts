/** Weight files made by hand, byte by byte, and what a refusal of one must look like. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { zipSync } from 'fflate';
import { UserError } from '../../../backend/protocol/errors.ts';

/** A folder for the tests of one file; `write` puts bytes into it and returns the path. */
export function scratchFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'dmd-weights-'));
  after(() => rm(folder, { recursive: true, force: true }));
  return {
    path: (name = '') => join(folder, name),
    async write(name: string, bytes: Uint8Array | string): Promise<string> {
      const path = join(folder, name);
      await writeFile(path, bytes);
      return path;
    },
  };
}

/** The check that assert.throws and assert.rejects take: a UserError for the person, about this. */
export function refusal(pattern: RegExp, kind = 'weights') {
  return (error: unknown) => {
    assert.ok(error instanceof UserError, error instanceof Error ? error.stack : String(error));
    assert.equal(error.kind, kind);
    assert.match(error.message, pattern);
    assert.notEqual(error.hint, '');
    return true;
  };
}

/** Pickle instructions as text, one character per byte. */
export const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));

/** Little-endian, as text. */
export function uint32(value: number): string {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer.toString('latin1');
}

export const text = (value: string) => `X${uint32(Buffer.byteLength(value))}${Buffer.from(value).toString('latin1')}`;
export const integer = (value: number) => (value >= 0 && value < 2 ** 31 ? `J${uint32(value)}` : `L${value}L\n`);
export const tuple = (...items: string[]) => `(${items.join('')}t`;

export interface View {
  readonly type?: string;
  readonly key?: string;
  /** Numbers in the storage. */
  readonly count: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

const storage = ({ type = 'torch\nFloatStorage', key = '0', count }: View, ...view: string[]) =>
  `${tuple(text('storage'), `c${type}\n`, text(key), text('cpu'), integer(count), ...view)}Q`;

const sizes = (values: readonly number[]) => tuple(...values.map(integer));

/** The instructions for one tensor, as torch.save writes it; `view` is 'N' in the legacy format. */
export const tensor = (view: View, ...storageView: string[]) =>
  `ctorch._utils\n_rebuild_tensor_v2\n${tuple(
    storage(view, ...storageView),
    integer(view.offset ?? 0),
    sizes(view.shape),
    sizes(view.strides),
    '\x89',
    'ccollections\nOrderedDict\n)R',
  )}R`;

/** A dictionary from texts to instructions. */
export const dict = (items: Record<string, string>) =>
  `}(${Object.entries(items)
    .map(([key, value]) => text(key) + value)
    .join('')}u`;

/** A torch.save zip of one pickle and its storages. */
export function torchZip(
  pickle: string,
  storages: Record<string, Uint8Array> = {},
  more: Record<string, Uint8Array> = {},
) {
  const files = Object.entries(storages).map(([key, data]) => [`archive/data/${key}`, data]);
  const contents = { 'archive/data.pkl': bytes(`\x80\x02${pickle}.`), 'archive/version': bytes('3\n'), ...more };
  return zipSync({ ...contents, ...Object.fromEntries(files) }, { level: 0 });
}

const magic = '\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.';

/** A legacy torch.save file; a storage is its count and its bytes. */
export function torchLegacy(
  pickle: string,
  storages: [key: string, count: number, data: Uint8Array][],
  littleEndian = true,
) {
  const head = `${magic}\x80\x02M\xe9\x03.\x80\x02${dict({ little_endian: littleEndian ? '\x88' : '\x89' })}.`;
  const keys = `\x80\x02](${storages.map(([key]) => text(key)).join('')}e.`;
  const parts: Uint8Array[] = [bytes(`${head}\x80\x02${pickle}.${keys}`)];
  for (const [, count, data] of storages) parts.push(bytes(uint32(count) + uint32(0)), data);
  return Buffer.concat(parts);
}

export const float32Bytes = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
