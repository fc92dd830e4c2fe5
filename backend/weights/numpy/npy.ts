/**
 * NumPy's .npy format, read as data: a short header in Python's notation, then the numbers. Arrays of Python objects, which
 * NumPy itself would unpickle and so execute, are refused, as are big-endian numbers, text and records.
 */
import { refuse } from '../refusal.ts';
import { checkedSize, type Dtype, itemSize, type StoredTensor, storedTensor } from '../stored-tensor.ts';

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
/** Headers are about a hundred bytes; NumPy itself refuses more than this. */
const longestHeader = 10_000;

/** NumPy's codes for little-endian numbers and single bytes. */
const codes: Readonly<Record<string, Dtype>> = {
  '<f8': 'F64',
  '<f4': 'F32',
  '<f2': 'F16',
  '<i8': 'I64',
  '<i4': 'I32',
  '<i2': 'I16',
  '|i1': 'I8',
  '<u8': 'U64',
  '<u4': 'U32',
  '<u2': 'U16',
  '|u1': 'U8',
  '|b1': 'BOOL',
};

/**
 * Decodes the bytes of a .npy file; the tensor is a copy, row by row also where the file has it column by column.
 * Throws a Refusal that starts with `name`.
 */
export function decodeNpy(bytes: Uint8Array, name: string): StoredTensor {
  if (magic.some((byte, i) => bytes[i] !== byte)) refuse(`${name} is not a NumPy array`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version !== 1 && version !== 2 && version !== 3) refuse(`${name} has the unknown .npy version ${version}`);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) refuse(`${name} ends within its header`);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > longestHeader) refuse(`${name} claims a header of ${length} bytes`);
  if (bytes.length < start + length) refuse(`${name} ends within its header`);
  const { dtype, shape, byColumns } = parseHeader(
    new TextDecoder().decode(bytes.subarray(start, start + length)),
    name,
  );
  const content = bytes.subarray(start + length);
  const needed = checkedSize(shape, name) * itemSize(dtype);
  if (content.length !== needed) refuse(`${name} has ${content.length} bytes of numbers, its shape needs ${needed}`);
  const rows = byColumns ? byRows(content, shape, itemSize(dtype)) : Uint8Array.from(content);
  return storedTensor(dtype, shape, rows.buffer);
}

function parseHeader(text: string, name: string): { dtype: Dtype; shape: number[]; byColumns: boolean } {
  // A dictionary with exactly these keys, in the order in which NumPy writes them.
  const pattern = /^\{'descr': (.+), 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), \}[ \n]*$/;
  const [, descr, byColumns, dims] = pattern.exec(text) ?? [];
  if (descr === undefined || dims === undefined)
    refuse(`${name} has a header that is not NumPy's: ${text.slice(0, 80)}`);
  const code = /^'([^']*)'$/.exec(descr)?.[1];
  if (code === '|O') {
    const hint = 'Save it again as plain numbers, e.g. numpy.savez(file, mu=mu, sigma=sigma).';
    refuse(`${name} holds Python objects, which only running them could read`, hint);
  }
  if (code === undefined || !Object.hasOwn(codes, code)) {
    refuse(`${name} holds ${code ?? 'records'}, not plain numbers`, 'Save it again as float64 or float32.');
  }
  const shape = dims.split(',').flatMap((dim) => (dim.trim() === '' ? [] : [Number(dim)]));
  return { dtype: codes[code], shape, byColumns: byColumns === 'True' };
}

/** The bytes of a column-major array in row-major order. */
function byRows(bytes: Uint8Array, shape: readonly number[], size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1));
  const index = shape.map(() => 0);
  for (let at = 0; at < bytes.length; at += size) {
    const from = size * index.reduce((sum, i, axis) => sum + i * strides[axis], 0);
    for (let b = 0; b < size; b++) out[at + b] = bytes[from + b];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return out;
}
