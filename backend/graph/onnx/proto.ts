/**
 * The part of ONNX's protobuf format (onnx.proto, IR version 8) that this project writes. Field numbers are the format's.
 */
import Pbf from 'pbf';

/** One operator call as ONNX stores it. */
export interface OnnxNode {
  name: string;
  opType: string;
  /** '' for the standard operators. */
  domain: string;
  inputs: string[];
  outputs: string[];
  attributes: OnnxAttributes;
}

/** Integers and lists of integers are written as such; a float is wrapped to tell 1.0 from 1. */
export type OnnxAttributes = Record<string, number | number[] | string | { float: number }>;

export interface OnnxInitializer {
  name: string;
  dims: readonly number[];
  /** float32, int64, or float16 as its bits. */
  data: Float32Array | BigInt64Array | Uint16Array;
  /** Where the numbers are when they are not in the model: a file beside it, and the byte in it. */
  external?: { location: string; offset: number };
}

/** What an input is fed with; everything is computed in float32. */
export type OnnxInputType = 'float32' | 'float16' | 'int32';

/** An input or output as it is declared. */
interface ValueInfo {
  name: string;
  /** Null: a length that is not known. */
  shape: readonly (number | null)[];
  type?: OnnxInputType | 'int64';
}

export interface OnnxModel {
  nodes: OnnxNode[];
  initializers: OnnxInitializer[];
  inputs: ValueInfo[];
  outputs: { name: string; shape: readonly number[]; type?: OnnxInputType }[];
  opsets: { domain: string; version: number }[];
  metadata: Record<string, string>;
}

const dataTypes = { float32: 1, int32: 6, int64: 7, float16: 10 };
/** TensorProto.DataLocation */
const externalLocation = 1;

/** Serialises a model to the bytes of an .onnx file. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const pieces = modelPieces(model);
  const bytes = new Uint8Array(lengthOf(pieces));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}

/** The same bytes in order, piece by piece: numbers are the arrays of the model itself, not copies. */
export function modelPieces(model: OnnxModel): Uint8Array[] {
  const graph = graphPieces(model);
  const head = encoded((pbf) => {
    pbf.writeVarintField(1, 8);
    pbf.writeStringField(2, 'dmd-workbench');
    beginMessage(pbf, 7, lengthOf(graph));
  });
  const tail = encoded((pbf) => {
    for (const opset of model.opsets) pbf.writeMessage(8, writeOpset, opset);
    for (const entry of Object.entries(model.metadata)) pbf.writeMessage(14, writeMetadata, entry);
  });
  return [head, ...graph, tail];
}

function graphPieces({ nodes, initializers, inputs, outputs }: OnnxModel): Uint8Array[] {
  const head = encoded((pbf) => {
    for (const node of nodes) pbf.writeMessage(1, writeNode, node);
    pbf.writeStringField(2, 'graph');
  });
  const tensors = initializers.flatMap((initializer) => {
    const parts = initializerPieces(initializer);
    return [encoded((pbf) => beginMessage(pbf, 5, lengthOf(parts))), ...parts];
  });
  const tail = encoded((pbf) => {
    for (const input of inputs) pbf.writeMessage(11, writeValueInfo, input);
    for (const output of outputs) pbf.writeMessage(12, writeValueInfo, output);
  });
  return [head, ...tensors, tail];
}

function encoded(write: (pbf: Pbf) => void): Uint8Array {
  const pbf = new Pbf();
  write(pbf);
  return pbf.finish();
}

/** What stands before the bytes of a message or of a field of bytes. */
function beginMessage(pbf: Pbf, field: number, length: number): void {
  pbf.writeTag(field, 2);
  pbf.writeVarint(length);
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

function writeOpset(opset: { domain: string; version: number }, pbf?: Pbf): void {
  pbf!.writeStringField(1, opset.domain);
  pbf!.writeVarintField(2, opset.version);
}

function writeMetadata([key, value]: [string, string], pbf?: Pbf): void {
  pbf!.writeStringField(1, key);
  pbf!.writeStringField(2, value);
}

function writeNode(node: OnnxNode, pbf?: Pbf): void {
  for (const input of node.inputs) pbf!.writeStringField(1, input);
  for (const output of node.outputs) pbf!.writeStringField(2, output);
  pbf!.writeStringField(3, node.name);
  pbf!.writeStringField(4, node.opType);
  for (const attribute of Object.entries(node.attributes)) pbf!.writeMessage(5, writeAttribute, attribute);
  if (node.domain) pbf!.writeStringField(7, node.domain);
}

function writeAttribute([name, value]: [string, OnnxAttributes[string]], pbf?: Pbf): void {
  pbf!.writeStringField(1, name);
  if (typeof value === 'number') {
    pbf!.writeVarintField(3, value);
    pbf!.writeVarintField(20, 2);
  } else if (typeof value === 'string') {
    pbf!.writeBytesField(4, new TextEncoder().encode(value));
    pbf!.writeVarintField(20, 3);
  } else if (Array.isArray(value)) {
    for (const item of value) pbf!.writeVarintField(8, item);
    pbf!.writeVarintField(20, 7);
  } else {
    pbf!.writeFloatField(2, value.float);
    pbf!.writeVarintField(20, 1);
  }
}

function initializerPieces({ name, dims, data, external }: OnnxInitializer): Uint8Array[] {
  const head = encoded((pbf) => {
    for (const dim of dims) pbf.writeVarintField(1, dim);
    pbf.writeVarintField(
      2,
      dataTypes[data instanceof Float32Array ? 'float32' : data instanceof Uint16Array ? 'float16' : 'int64'],
    );
    pbf.writeStringField(8, name);
    if (!external) {
      beginMessage(pbf, 9, data.byteLength);
      return;
    }
    const entries = { location: external.location, offset: String(external.offset), length: String(data.byteLength) };
    for (const entry of Object.entries(entries)) pbf.writeMessage(13, writeMetadata, entry);
    pbf.writeVarintField(14, externalLocation);
  });
  return external ? [head] : [head, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
}

function writeValueInfo(info: ValueInfo, pbf?: Pbf): void {
  pbf!.writeStringField(1, info.name);
  pbf!.writeMessage(2, writeType, info);
}

function writeType(info: ValueInfo, pbf?: Pbf): void {
  pbf!.writeMessage(1, writeTensorType, info);
}

function writeTensorType({ shape, type = 'float32' }: ValueInfo, pbf?: Pbf): void {
  pbf!.writeVarintField(1, dataTypes[type]);
  pbf!.writeMessage(2, writeShape, shape);
}

function writeShape(shape: ValueInfo['shape'], pbf?: Pbf): void {
  for (const dim of shape) pbf!.writeMessage(1, writeDimension, dim);
}

function writeDimension(dim: number | null, pbf?: Pbf): void {
  if (dim !== null) pbf!.writeVarintField(1, dim);
}
