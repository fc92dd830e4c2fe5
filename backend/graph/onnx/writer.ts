/** Collects ONNX nodes and constants while a graph is lowered. Values are referred to by name. */
import { sizeOf } from '../tensor-data.ts';
import type { OnnxAttributes, OnnxInitializer, OnnxInputType, OnnxNode } from './proto.ts';

/**
 * `portable` uses only standard operators and opens in every ONNX tool; `ort-cpu` may use ONNX Runtime's own operators
 * where they are faster.
 */
export type Target = 'portable' | 'ort-cpu';

/** TensorProto.DataType */
const float32 = 1;

export interface WriterOptions {
  /** Channels per block of ONNX Runtime's blocked layout; 0 leaves that layout alone. */
  readonly channelBlock?: number;
  /** Names of the inputs that are fed in that layout. */
  readonly blockedInputs?: ReadonlySet<string>;
  readonly inputTypes?: Readonly<Record<string, OnnxInputType>>;
}

export class OnnxWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  readonly target: Target;
  readonly channelBlock: number;
  readonly blockedInputs: ReadonlySet<string>;
  private readonly inputTypes: Readonly<Record<string, OnnxInputType>>;
  private readonly constants = new Map<string, string>();
  private count = 0;

  constructor(target: Target, { channelBlock = 0, blockedInputs = new Set(), inputTypes = {} }: WriterOptions = {}) {
    this.target = target;
    this.channelBlock = channelBlock;
    this.blockedInputs = blockedInputs;
    this.inputTypes = inputTypes;
  }

  /** An input of the graph as the float32 that every operation takes. */
  input(name: string): string {
    const isFloat = (this.inputTypes[name] ?? 'float32') === 'float32';
    return isFloat ? name : this.widened(name);
  }

  /** Numbers of another type as float32. */
  widened(value: string): string {
    return this.op('Cast', [value], { to: float32 });
  }

  /** Adds an operator call with `outputCount` outputs and returns their names. */
  call(opType: string, inputs: string[], attributes: OnnxAttributes = {}, outputCount = 1, domain = ''): string[] {
    const name = `${opType}_${this.count++}`;
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
    return this.initializer(key, shape, data);
  }

  scalar(value: number): string {
    return this.floats([], Float32Array.of(value));
  }

  /** A one-dimensional int64 constant: shapes, axes, starts, ends. */
  ints(values: readonly number[]): string {
    return this.initializer(`i${values.join()}`, [values.length], BigInt64Array.from(values, BigInt));
  }

  /** A constant that `key` says all of: made at its first use, and the same one from then on. */
  shared(key: string, dims: readonly number[], make: () => OnnxInitializer['data']): string {
    return this.constants.get(key) ?? this.initializer(key, dims, make());
  }

  reshape(x: string, shape: readonly number[]): string {
    return this.op('Reshape', [x, this.ints(shape)]);
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

  private initializer(key: string | null, dims: readonly number[], data: OnnxInitializer['data']): string {
    const known = key !== null ? this.constants.get(key) : undefined;
    if (known) return known;
    if (sizeOf(dims) !== data.length) throw new Error(`constant of shape [${dims}] holds ${data.length} numbers`);
    const name = `const_${this.initializers.length}`;
    this.initializers.push({ name, dims, data });
    if (key !== null) this.constants.set(key, name);
    return name;
  }
}
