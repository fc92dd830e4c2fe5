/**
 * The free text that an ONNX file carries (`metadata_props` of onnx.proto), read without loading the network: the file is
 * a list of fields, and all but those are skipped.
 */
import Pbf from 'pbf';
import { type WeightsFile, withWeightsFile } from './files.ts';
import { Refusal, refuse } from './refusal.ts';

/** Field number of `metadata_props`, and of its parts. */
const metadataField = 14;
const [keyField, valueField] = [1, 2];
/** No description of a network comes near this. */
const largestText = 1 << 20;
/** Tag and length take at most ten bytes each. */
const headBytes = 20;
/** A model has a handful of fields and imports; a file with more is something else. */
const mostFields = 10_000;

/** Throws UserError('weights') that names a file which is missing or no ONNX file. */
export function readOnnxMetadata(path: string): Promise<Record<string, string>> {
  return withWeightsFile(path, async (file) => {
    const metadata: [string, string][] = [];
    let position = 0;
    for (let fields = 0; position < file.size; fields++) {
      if (fields === mostFields) refuse('this is no ONNX file');
      const { number, start, end } = await fieldAt(file, position);
      if (number === metadataField) {
        const bytes = await file.read(start, end - start);
        metadata.push(decoded(position, () => parseEntry(bytes)));
      }
      position = end;
    }
    if (position === 0) refuse('the file is empty');
    return Object.fromEntries(metadata);
  });
}

/** A top-level field: its number and where its content lies. */
async function fieldAt(file: WeightsFile, position: number): Promise<{ number: number; start: number; end: number }> {
  const bytes = await file.read(position, Math.min(headBytes, file.size - position));
  return decoded(position, () => parseField(bytes, position, file.size));
}

/** What the decoder says about bytes that are no protocol buffer, as a refusal. */
function decoded<T>(position: number, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return refuse(`this is no ONNX file, or a damaged one: the field at ${position} cannot be read (${reason})`);
  }
}

function parseField(bytes: Uint8Array, position: number, size: number) {
  const pbf = new Pbf(bytes);
  const tag = pbf.readVarint();
  const [number, type] = [tag >>> 3, tag & 7];
  if (number === 0) refuse('this is no ONNX file');
  let length = 0;
  if (type === 0) pbf.readVarint();
  else if (type === 1) length = 8;
  else if (type === 2) length = pbf.readVarint();
  else if (type === 5) length = 4;
  else refuse('this is no ONNX file');
  const start = position + pbf.pos;
  const end = start + length;
  if (!(length >= 0 && end <= size)) refuse(`the file ends at byte ${size}, inside the field at ${position}`);
  if (number === metadataField && length > largestText) refuse(`its metadata takes ${length} bytes`);
  return { number, start, end };
}

function parseEntry(bytes: Uint8Array): [string, string] {
  const entry: [string, string] = ['', ''];
  new Pbf(bytes).readFields((tag: number, _result: undefined, pbf?: Pbf) => {
    if (tag === keyField) entry[0] = pbf!.readString();
    if (tag === valueField) entry[1] = pbf!.readString();
  }, undefined);
  return entry;
}
