/**
 * TensorBoard's Event message: the part of `event.proto` and `summary.proto` that a run writes, and reading the same
 * part back. Field numbers are those of the public .proto files; what is not known is skipped.
 */
import Pbf from 'pbf';
import type { Histogram } from './histogram.ts';

/** One recorded value under its tag, e.g. `loss/dm`. */
export type SummaryValue =
  | { readonly kind: 'scalar'; readonly tag: string; readonly value: number }
  | {
      readonly kind: 'image';
      readonly tag: string;
      readonly width: number;
      readonly height: number;
      readonly png: Uint8Array;
    }
  | { readonly kind: 'histogram'; readonly tag: string; readonly histogram: Histogram }
  | { readonly kind: 'text'; readonly tag: string; readonly text: string };

export interface RunEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  /** First event of a file only, `brain.Event:2`. */
  readonly fileVersion: string;
  /** A process began (again) here: what earlier files hold for this step and later ones is superseded. */
  readonly restart: boolean;
  readonly values: readonly SummaryValue[];
}

const sessionStart = 1;
const stringTensor = 7;
const rgb = 3;

export function encodeEvent(event: RunEvent): Uint8Array {
  const pbf = new Pbf();
  pbf.writeDoubleField(1, event.wallTime);
  pbf.writeVarintField(2, event.step);
  if (event.fileVersion) pbf.writeStringField(3, event.fileVersion);
  if (event.values.length > 0) pbf.writeMessage(5, writeSummary, event.values);
  if (event.restart) pbf.writeMessage(7, (status, out) => out.writeVarintField(1, status), sessionStart);
  return pbf.finish();
}

function writeSummary(values: readonly SummaryValue[], pbf: Pbf): void {
  for (const value of values) pbf.writeMessage(1, writeValue, value);
}

function writeValue(value: SummaryValue, pbf: Pbf): void {
  pbf.writeStringField(1, value.tag);
  if (value.kind === 'scalar') {
    pbf.writeFloatField(2, value.value);
  } else if (value.kind === 'image') {
    pbf.writeMessage(4, writeImage, value);
  } else if (value.kind === 'histogram') {
    pbf.writeMessage(5, writeHistogram, value.histogram);
  } else {
    pbf.writeMessage(8, writeText, value.text);
    pbf.writeMessage(9, (_, metadata) => metadata.writeMessage(1, writeTextPlugin, null), null);
  }
}

function writeImage(image: { width: number; height: number; png: Uint8Array }, pbf: Pbf): void {
  pbf.writeVarintField(1, image.height);
  pbf.writeVarintField(2, image.width);
  pbf.writeVarintField(3, rgb);
  pbf.writeBytesField(4, image.png);
}

function writeHistogram(histogram: Histogram, pbf: Pbf): void {
  pbf.writeDoubleField(1, histogram.min);
  pbf.writeDoubleField(2, histogram.max);
  pbf.writeDoubleField(3, histogram.num);
  pbf.writeDoubleField(4, histogram.sum);
  pbf.writeDoubleField(5, histogram.sumSquares);
  pbf.writePackedDouble(6, [...histogram.bucketLimit]);
  pbf.writePackedDouble(7, [...histogram.bucket]);
}

/** The text plugin wants a string tensor of shape [1]. */
function writeText(text: string, pbf: Pbf): void {
  pbf.writeVarintField(1, stringTensor);
  pbf.writeMessage(2, (_, shape) => shape.writeMessage(2, (__, dim) => dim.writeVarintField(1, 1), null), null);
  pbf.writeStringField(8, text);
}

function writeTextPlugin(_: null, pbf: Pbf): void {
  pbf.writeStringField(1, 'text');
}

/** Reads an Event message. Kinds of values that are not known (tensors of other plugins) are left out. */
export function decodeEvent(payload: Uint8Array): RunEvent {
  const event = { wallTime: 0, step: 0, fileVersion: '', restart: false, values: [] as SummaryValue[] };
  // pbf looks at the whole buffer beneath: a view into a file's bytes has to be copied out.
  return new Pbf(new Uint8Array(payload)).readFields((field, result, pbf) => {
    if (field === 1) result.wallTime = pbf.readDouble();
    else if (field === 2) result.step = pbf.readVarint(true);
    else if (field === 3) result.fileVersion = pbf.readString();
    else if (field === 5) pbf.readMessage(readSummary, result.values);
    else if (field === 7) result.restart = pbf.readMessage(readVarintOne, { value: 0 }).value === sessionStart;
  }, event);
}

function readSummary(field: number, values: SummaryValue[], pbf: Pbf): void {
  if (field !== 1) return;
  const partial: PartialValue = pbf.readMessage(readValue, { tag: '', plugin: '' });
  if (partial.found) values.push(partial.found);
}

/** The tag may come after the value it belongs to, so that the value is made last. */
interface PartialValue {
  tag: string;
  /** Of the metadata: what a tensor is for. */
  plugin: string;
  make?: (tag: string, plugin: string) => SummaryValue | undefined;
  found?: SummaryValue;
}

function readValue(field: number, partial: PartialValue, pbf: Pbf): void {
  if (field === 1) partial.tag = pbf.readString();
  else if (field === 2) {
    const value = pbf.readFloat();
    partial.make = (tag) => ({ kind: 'scalar', tag, value });
  } else if (field === 4) {
    const image = pbf.readMessage(readImage, { width: 0, height: 0, png: new Uint8Array() });
    partial.make = (tag) => ({ kind: 'image', tag, ...image });
  } else if (field === 5) {
    const histogram = pbf.readMessage(readHistogram, emptyHistogram());
    partial.make = (tag) => ({ kind: 'histogram', tag, histogram });
  } else if (field === 8) {
    const { text, numbers, content } = pbf.readMessage(readTensor, {
      text: undefined,
      numbers: [],
      content: new Uint8Array(),
    });
    partial.make = (tag, plugin) => {
      if (plugin === 'histograms') {
        const histogram = histogramOfRows(numbers.length > 1 ? numbers : doublesOf(content));
        return histogram && { kind: 'histogram', tag, histogram };
      }
      if (text !== undefined) return { kind: 'text', tag, text };
      // Scalars in the newer way of other programs: a tensor of one number.
      return numbers.length === 1 ? { kind: 'scalar', tag, value: numbers[0]! } : undefined;
    };
  } else if (field === 9) pbf.readMessage(readMetadata, partial);
  partial.found = partial.make?.(partial.tag, partial.plugin);
}

function readImage(field: number, image: { width: number; height: number; png: Uint8Array }, pbf: Pbf): void {
  if (field === 1) image.height = pbf.readVarint();
  else if (field === 2) image.width = pbf.readVarint();
  else if (field === 4) image.png = pbf.readBytes();
}

function emptyHistogram() {
  return { min: 0, max: 0, num: 0, sum: 0, sumSquares: 0, bucketLimit: [] as number[], bucket: [] as number[] };
}

function readHistogram(field: number, histogram: ReturnType<typeof emptyHistogram>, pbf: Pbf): void {
  if (field === 1) histogram.min = pbf.readDouble();
  else if (field === 2) histogram.max = pbf.readDouble();
  else if (field === 3) histogram.num = pbf.readDouble();
  else if (field === 4) histogram.sum = pbf.readDouble();
  else if (field === 5) histogram.sumSquares = pbf.readDouble();
  else if (field === 6) pbf.readPackedDouble(histogram.bucketLimit);
  else if (field === 7) pbf.readPackedDouble(histogram.bucket);
}

/** The fields of TensorProto that hold a text, or one number: float_val, double_val, or four bytes of tensor_content. */
function readTensor(field: number, result: ReadTensor, pbf: Pbf): void {
  if (field === 8 && result.text === undefined) result.text = pbf.readString();
  else if (field === 4) {
    const bytes = pbf.readBytes();
    result.content = bytes;
    if (bytes.length === 4) result.numbers.push(new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true));
  } else if (field === 5) pbf.readPackedFloat(result.numbers);
  else if (field === 6) pbf.readPackedDouble(result.numbers);
}

interface ReadTensor {
  text: string | undefined;
  numbers: number[];
  content: Uint8Array;
}

/** SummaryMetadata's plugin_data, and its plugin_name. */
function readMetadata(field: number, partial: PartialValue, pbf: Pbf): void {
  if (field !== 1) return;
  pbf.readMessage((name, into: PartialValue, data) => {
    if (name === 1) into.plugin = data.readString();
  }, partial);
}

function doublesOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / 8) }, (_, i) => view.getFloat64(8 * i, true));
}

/** TensorFlow's newer histograms: rows of left edge, right edge, count. Sums are those of the buckets' middles. */
function histogramOfRows(numbers: readonly number[]): Histogram | undefined {
  const rows = Array.from({ length: Math.floor(numbers.length / 3) }, (_, i) => numbers.slice(3 * i, 3 * i + 3));
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last) return undefined;
  const total = (value: (middle: number) => number) =>
    rows.reduce((sum, [left, right, count]) => sum + value((left! + right!) / 2) * count!, 0);
  return {
    ...{ min: first[0]!, max: last[1]!, num: total(() => 1), sum: total((middle) => middle) },
    sumSquares: total((middle) => middle ** 2),
    bucketLimit: rows.map(([, right]) => right!),
    bucket: rows.map(([, , count]) => count!),
  };
}

function readVarintOne(field: number, result: { value: number }, pbf: Pbf): void {
  if (field === 1) result.value = pbf.readVarint();
}
