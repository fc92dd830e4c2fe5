/**
 * Mixed precision: a float32 model whose networks compute in float16. Products (convolutions, matrix products) take float16; what only
 * moves numbers, adds or multiplies them goes on in float16 where all it reads is; everything else (sums, means, normalisation,
 * softmax, losses) takes float32, and so do inputs and results. A value is rounded or widened once, however many read it; a parameter is
 * rounded as the flat buffer that it lies in, once in a run.
 */
import { floatsToHalves, largestHalf } from '../half.ts';
import type { OnnxInitializer, OnnxNode } from './proto.ts';

/** TensorProto.DataType */
const types = { float32: 1, float16: 10 };

/** Take float16 whatever they read. Their other inputs and attributes are no numbers of images. */
const products = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'FusedMatMul']);

/** Move numbers: which is the only input with numbers, or all of them. */
const moves = new Map<string, 'first' | 'all'>([
  ...['Reshape', 'Transpose', 'Slice', 'Split', 'Expand', 'Pad'].map((op) => [op, 'first'] as const),
  ['Concat', 'all'],
]);

/** Exact enough in float16, number by number. */
const steps = new Set(['Add', 'Sub', 'Mul', 'Neg', 'Relu', 'QuickGelu', 'Sigmoid', 'Tanh']);

/** The smallest number of which float16 has all digits. */
const smallestWhole = 2 ** -14;

interface Model {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
  /** Names of float32 inputs. */
  readonly inputs: ReadonlySet<string>;
  readonly outputs: ReadonlySet<string>;
}

/** The same model with float16 inside: its nodes in order and its constants. */
export function computeInHalves(model: Model): { nodes: OnnxNode[]; initializers: OnnxInitializer[] } {
  const rewriting = new Rewriting(model);
  for (const node of model.nodes) rewriting.add(node);
  return { nodes: rewriting.nodes, initializers: rewriting.initializers };
}

class Rewriting {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[];
  readonly #constants: ReadonlyMap<string, OnnxInitializer>;
  readonly #inputs: ReadonlySet<string>;
  readonly #outputs: ReadonlySet<string>;
  /** Names of values by the model's name and number type, where they exist. */
  readonly #halves = new Map<string, string>();
  readonly #floats = new Map<string, string>();
  /** What a value was made by, where that only moves numbers of an input. */
  readonly #movers = new Map<string, OnnxNode>();

  constructor({ initializers, inputs, outputs }: Model) {
    this.initializers = [...initializers];
    this.#constants = new Map(initializers.map((initializer) => [initializer.name, initializer]));
    this.#inputs = inputs;
    this.#outputs = outputs;
    for (const name of [...inputs, ...this.#constants.keys()]) this.#floats.set(name, name);
  }

  add(node: OnnxNode): void {
    if (this.#takesHalves(node)) {
      const inputs = node.inputs.map((name) => (this.#isNumbers(node, name) ? this.#half(name) : name));
      const outputs = node.outputs.map((name) => name && `${name}.half`);
      this.nodes.push({ ...node, inputs, outputs });
      node.outputs.forEach((name, i) => {
        if (!name) return;
        this.#halves.set(name, outputs[i]!);
        if (this.#outputs.has(name)) this.#float(name);
      });
      return;
    }
    this.nodes.push({ ...node, inputs: node.inputs.map((name) => this.#float(name)) });
    for (const name of node.outputs) this.#floats.set(name, name);
    if (moves.get(node.opType) === 'first' && this.#isOfInput(node.inputs[0]!)) {
      for (const name of node.outputs) this.#movers.set(name, node);
    }
  }

  #takesHalves(node: OnnxNode): boolean {
    if (products.has(node.opType)) return true;
    const follows = steps.has(node.opType) || moves.has(node.opType);
    const numbers = node.inputs.filter((name) => this.#isNumbers(node, name));
    const made = numbers.filter((name) => !this.#constants.has(name));
    if (!follows || !made.every((name) => this.#movers.has(name) || this.#isComputedInHalves(name))) return false;
    if (!made.some((name) => this.#isComputedInHalves(name))) return false;
    return numbers.every((name) => !this.#constants.has(name) || fits(this.#constants.get(name)!));
  }

  /** Not an input, or a part of one, that something needed rounded. */
  #isComputedInHalves(name: string): boolean {
    return this.#halves.has(name) && !this.#isOfInput(name);
  }

  #isNumbers(node: OnnxNode, name: string): boolean {
    if (name === '' || (moves.get(node.opType) === 'first' && name !== node.inputs[0])) return false;
    return !(this.#constants.get(name)?.data instanceof BigInt64Array);
  }

  #isOfInput(name: string): boolean {
    return this.#inputs.has(name) || this.#movers.has(name);
  }

  #half(name: string): string {
    return this.#halves.get(name) ?? this.#round(name);
  }

  #round(name: string): string {
    const half = `${name}.half`;
    const constant = this.#constants.get(name);
    const mover = this.#movers.get(name);
    if (constant) {
      this.initializers.push({ ...constant, name: half, data: floatsToHalves(constant.data as Float32Array) });
    } else if (mover) {
      const source = this.#half(mover.inputs[0]!);
      const outputs = mover.outputs.map((output) => output && `${output}.half`);
      this.nodes.push({ ...mover, name: `${mover.name}.half`, inputs: [source, ...mover.inputs.slice(1)], outputs });
      for (const [i, output] of mover.outputs.entries()) this.#halves.set(output, outputs[i]!);
      return half;
    } else this.#cast(this.#float(name), half, types.float16);
    this.#halves.set(name, half);
    return half;
  }

  #float(name: string): string {
    if (!this.#halves.has(name) || this.#floats.has(name)) return name;
    this.#cast(this.#halves.get(name)!, name, types.float32);
    this.#floats.set(name, name);
    return name;
  }

  #cast(from: string, to: string, type: number): void {
    this.nodes.push({
      name: `${to}.cast`,
      opType: 'Cast',
      domain: '',
      inputs: [from],
      outputs: [to],
      attributes: { to: type },
    });
  }
}

/** Whether float16 has every number of a constant, and its digits. */
const fits = ({ data }: OnnxInitializer): boolean =>
  data instanceof Float32Array &&
  data.every((value) => value === 0 || (Math.abs(value) <= largestHalf && Math.abs(value) >= smallestWhole));
