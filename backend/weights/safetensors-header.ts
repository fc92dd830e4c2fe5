/**
 * The header of a safetensors file: eight bytes with its length, then JSON that maps each name to dtype, shape and byte
 * range (https://huggingface.co/docs/safetensors, "Format"). What comes out of `parseHeader` has been checked: sizes fit,
 * and the ranges cover the data without a gap or an overlap.
 */
import { parseJson } from '../protocol/json.ts';
import type { WeightsFile } from './files.ts';
import { refuse } from './refusal.ts';
import { checkedSize, type Dtype, dtypes, isDtype, itemSize, type StoredTensor } from './stored-tensor.ts';
import { repeatedKey } from './unique-keys.ts';

/** As the reference implementation: a larger header is an attack, not a model. */
const largestHeader = 100_000_000;

/** One tensor's place, in bytes from the end of the header. */
export interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: Record<string, string>;
}

/** The header's length from the first eight bytes of a file of `fileSize` bytes. */
export function headerLength(prefix: Uint8Array, fileSize: number): number {
  if (prefix.length < 8) refuse(`a safetensors file has at least 8 bytes, this one has ${fileSize}`);
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > BigInt(largestHeader)) {
    refuse(`its header claims ${length} bytes, more than the ${largestHeader} that safetensors allows`);
  }
  if (Number(length) > fileSize - 8) {
    refuse(`its header claims ${length} bytes, but the file has only ${fileSize}: it is cut off`);
  }
  return Number(length);
}

/** The header of an open file, and where its data starts. Refuses one that does not fit the file. */
export async function readHeader(file: WeightsFile): Promise<Header & { readonly start: number }> {
  const start = 8 + headerLength(await file.read(0, Math.min(8, file.size)), file.size);
  return { start, ...parseHeader(await file.read(8, start - 8), file.size - start) };
}

/** @param dataLength bytes after the header */
export function parseHeader(json: Uint8Array, dataLength: number): Header {
  const text = decodeUtf8(json);
  if (!text.startsWith('{')) refuse('its header does not start with {, this is no safetensors file');
  const { __metadata__: metadata = {}, ...tensors } = parseObject(text);
  const repeated = repeatedKey(text);
  if (repeated !== undefined) refuse(`its header has '${repeated}' twice`);
  const entries = Object.entries(tensors).map(([name, value]) => parseEntry(name, value));
  checkRanges(entries, dataLength);
  return { entries, metadata: parseMetadata(metadata) };
}

/** The file's beginning for tensors in this order; the data starts at a multiple of 8. */
export function encodeHeader(
  tensors: Iterable<readonly [name: string, tensor: Pick<StoredTensor, 'dtype' | 'shape'>]>,
  metadata: Record<string, string>,
): Uint8Array {
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let offset = 0;
  for (const [name, { dtype, shape }] of tensors) {
    const end = offset + checkedSize(shape, name) * itemSize(dtype);
    header.push([name, { dtype, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const length = Math.ceil(json.length / 8) * 8;
  if (length > largestHeader) {
    refuse(`the header would take ${length} bytes, more than the ${largestHeader} that safetensors allows`, '');
  }
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('its header is not UTF-8');
  }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return parseJson(text, { anyNames: true }) as Record<string, unknown>;
  } catch (error) {
    return refuse(`its header is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parseMetadata(metadata: unknown): Record<string, string> {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) refuse('__metadata__ is no object');
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') refuse(`__metadata__ '${key}' is no text`);
  }
  return metadata as Record<string, string>;
}

function parseEntry(name: string, value: unknown): Entry {
  const what = `tensor '${name}'`;
  if (typeof value !== 'object' || value === null) refuse(`${what} is not described by an object`);
  const { dtype, shape, data_offsets: range, ...rest } = value as Record<string, unknown>;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) refuse(`${what} has the unknown field '${unknown}'`);
  if (!isDtype(dtype)) {
    refuse(
      `${what} has the dtype ${JSON.stringify(dtype)}${meaningOf(dtype)}`,
      `Convert it to one of ${dtypes.join(', ')}.`,
    );
  }
  if (!Array.isArray(shape)) refuse(`${what} has no shape`);
  const bytes = checkedSize(shape, what) * itemSize(dtype);
  if (!Array.isArray(range) || range.length !== 2 || !range.every((offset) => Number.isSafeInteger(offset))) {
    refuse(`${what} has no valid data_offsets`);
  }
  const [begin, end] = range as number[];
  if (begin < 0 || end < begin) refuse(`${what} has the impossible byte range ${begin} to ${end}`);
  if (end - begin !== bytes) {
    refuse(`${what} is ${dtype} [${shape.join(', ')}], ${bytes} bytes, but its range holds ${end - begin}`);
  }
  return { name, dtype, shape, begin, end };
}

/** Of the dtypes that safetensors has and this program does not, in words. */
function meaningOf(dtype: unknown): string {
  const name = String(dtype);
  const [, kind, bits] = /^([FIU])([468])(?:_|$)/.exec(name) ?? [];
  if (bits) return `, numbers of ${bits} bits (${kind === 'F' ? 'float' : 'int'}${bits})`;
  return /^C\d+$/.test(name) ? ', complex numbers' : '';
}

/** Every byte of the data belongs to exactly one tensor. */
function checkRanges(entries: readonly Entry[], dataLength: number): void {
  let covered = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < covered) refuse(`tensor '${name}' overlaps another one at byte ${begin} of the data`);
    if (begin > covered) refuse(`no tensor owns bytes ${covered} to ${begin} of the data, before '${name}'`);
    covered = end;
  }
  if (covered > dataLength) {
    refuse(`its tensors take ${covered} bytes, but only ${dataLength} are there: the file is cut off`);
  }
  if (covered < dataLength) refuse(`${dataLength - covered} bytes follow the last tensor and belong to none`);
}
