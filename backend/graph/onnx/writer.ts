/** Collects ONNX nodes and constants while a graph is lowered. Values are referred to by name. */
import type { Tensor } from '../graph.ts';
import { sizeOf } from '../tensor-data.ts';
import type { FusedOperator, LoweringCapabilities } from './capabilities.ts';
import type { OnnxAttributes, OnnxInitializer, OnnxInputType, OnnxNode } from './proto.ts';

/** TensorProto.DataType */
const float32 = 1;

export interface WriterOptions {
  /** Names of the inputs that are fed in the blocked layout. */
  readonly blockedInputs: ReadonlySet<string>;
  readonly inputTypes: Readonly<Record<string, OnnxInputType>>;
  /** What some node that is written, or an output, reads. */
  readonly read: ReadonlySet<Tensor>;
}

export class OnnxWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  readonly can: LoweringCapabilities;
  readonly blockedInputs: ReadonlySet<string>;
  readonly #inputTypes: Readonly<Record<string, OnnxInputType>>;
  readonly #read: ReadonlySet<Tensor>;
  readonly #constants = new Map<string, string>();
  /** What each result of a Reshape was before. */
  readonly #reshaped = new Map<string, string>();
  #count = 0;

  constructor(can: LoweringCapabilities, { blockedInputs, inputTypes, read }: WriterOptions) {
    this.can = can;
    this.blockedInputs = blockedInputs;
    this.#inputTypes = inputTypes;
    this.#read = read;
  }

  /** Whether the device has an operator. */
  has(operator: FusedOperator): boolean {
    return this.can.fused.includes(operator);
  }

  /** Whether anything reads a value. */
  needs(tensor: Tensor): boolean {
    return this.#read.has(tensor);
  }

  /** An input of the graph in the number type that the graph declares. */
  input(name: string): string {
    return this.#inputTypes[name] ? this.widened(name) : name;
  }

  /** Numbers of another type as float32. */
  widened(value: string): string {
    return this.op('Cast', [value], { to: float32 });
  }

  /** Adds an operator call with `outputCount` outputs and returns their names. */
  call(opType: string, inputs: string[], attributes: OnnxAttributes = {}, outputCount = 1, domain = ''): string[] {
    const name = `${opType}_${this.#count++}`;
    const outputs = Array.from({ length: outputCount }, (_, i) => (outputCount === 1 ? name : `${name}.${i}`));
    this.nodes.push({ name, opType, domain, inputs, outputs, attributes });
    return outputs;
  }

  /** `call` with a single output. */
  op(opType: string, inputs: string[], attributes: OnnxAttributes = {}): string {
    return this.call(opType, inputs, attributes)[0];
  }

  /** One of ONNX Runtime's own operators. */
  ortOp(opType: string, inputs: string[], attributes: OnnxAttributes = {}): string {
    return this.call(opType, inputs, attributes, 1, 'com.microsoft')[0];
  }

  floats(shape: readonly number[], data: Float32Array): string {
    const key = data.length <= 16 ? `f${shape.join()}:${data.join()}` : null;
    return this.#initializer(key, shape, data);
  }

  scalar(value: number): string {
    return this.floats([], Float32Array.of(value));
  }

  /** A one-dimensional int64 constant: shapes, axes, starts, ends. */
  ints(values: readonly number[]): string {
    return this.#initializer(`i${values.join()}`, [values.length], BigInt64Array.from(values, BigInt));
  }

  /** A constant that `key` says all of: made at its first use, and the same one from then on. */
  shared(key: string, dims: readonly number[], make: () => OnnxInitializer['data']): string {
    return this.#constants.get(key) ?? this.#initializer(key, dims, make());
  }

  /** Of what was reshaped before, the value before that: ONNX Runtime would join the two, and runs what it makes at other times. */
  reshape(x: string, shape: readonly number[]): string {
    const whole = this.#reshaped.get(x) ?? x;
    const result = this.op('Reshape', [whole, this.ints(shape)]);
    this.#reshaped.set(result, whole);
    return result;
  }

  transpose(x: string, perm: number[]): string {
    return this.op('Transpose', [x], { perm });
  }

  reduce(
    opType: 'ReduceSum' | 'ReduceMean' | 'ReduceMax',
    x: string,
    axes: readonly number[],
    keepDims = true,
  ): string {
    return this.op(opType, [x, this.ints(axes)], { keepdims: keepDims ? 1 : 0 });
  }

  /** Consecutive pieces of x along an axis. */
  cut(x: string, axis: number, sizes: readonly number[]): string[] {
    if (sizes.length === 1) return [x];
    if (sizes.length <= this.can.splitOutputs) return this.call('Split', [x, this.ints(sizes)], { axis }, sizes.length);
    let start = 0;
    return sizes.map((size) => {
      const range = [start, start + size, axis].map((value) => this.ints([value]));
      start += size;
      return this.op('Slice', [x, ...range]);
    });
  }

  #initializer(key: string | null, dims: readonly number[], data: OnnxInitializer['data']): string {
    const known = key !== null ? this.#constants.get(key) : undefined;
    if (known) return known;
    if (sizeOf(dims) !== data.length) throw new Error(`constant of shape [${dims}] holds ${data.length} numbers`);
    const name = `const_${this.initializers.length}`;
    this.initializers.push({ name, dims, data });
    if (key !== null) this.#constants.set(key, name);
    return name;
  }
}
