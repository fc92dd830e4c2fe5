/**
 * A static tensor graph: nodes are appended once and never change; tensors are values with a shape known when they are
 * built, and a number type. Everything is computed in float32; what is held as float16 is sliced and widened first. The order of
 * `graph.nodes` is a topological order, because a node can only use tensors that exist. Nothing is computed here: an engine runs
 * the graph, `gradients.ts` extends it, `onnx/` writes it down.
 */
import { type NumberType, sizeOf } from './tensor-data.ts';

export type Shape = readonly number[];

/** One value in a graph: output number `index` of `node`. */
export interface Tensor {
  readonly graph: Graph;
  readonly id: number;
  readonly shape: Shape;
  readonly type: NumberType;
  readonly node: Node;
  readonly index: number;
}

/** One application of an operation. `region` names the recomputation region it belongs to, 0 for none. */
export interface Node {
  readonly type: OpType;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attrs: Attributes;
  readonly scope: string;
  readonly region: number;
}

export type Attribute = number | string | boolean | readonly number[] | Float32Array;
export type Attributes = Readonly<Record<string, Attribute>>;

/** An operation: its name and how shapes follow from shapes. Its gradient rule stands beside it in `NAME.grad.ts`. */
export interface OpType {
  readonly name: string;
  /** Output shapes. Throws an Error whose message says what does not fit; the graph adds op, scope and shapes. */
  infer(inputs: readonly Shape[], attrs: Attributes): readonly Shape[];
  /** What the outputs hold, from what the inputs hold. Left out where all of it is float32. */
  readonly typed?: (inputs: readonly NumberType[], attrs: Attributes) => NumberType;
}

export class Graph {
  readonly nodes: Node[] = [];
  readonly inputs = new Map<string, Tensor>();
  readonly outputs = new Map<string, Tensor>();
  /** In what products, and what can follow them, are computed where the device can; all inputs and results are as declared. */
  computes: NumberType = 'float32';
  readonly #scopes: string[] = [];
  #tensorCount = 0;
  #region = 0;
  #regionCount = 0;

  /** Declares an input fed at every run. As float16, for frozen weights, it takes half the memory. */
  input(name: string, shape: Shape, type: NumberType = 'float32'): Tensor {
    this.#claim('input', name);
    const [tensor] = this.apply(inputOp, [], { name, shape: [...shape], type });
    this.inputs.set(name, tensor);
    return tensor;
  }

  /** Names a tensor as a result of a run. */
  output(name: string, tensor: Tensor): void {
    this.#claim('output', name);
    if (tensor.graph !== this) throw new Error(`graph output '${name}' belongs to another graph`);
    this.outputs.set(name, tensor);
  }

  /** Inputs and outputs share one set of names, as they do in an ONNX file. */
  #claim(kind: 'input' | 'output', name: string): void {
    const before = this.inputs.has(name) ? 'input' : this.outputs.has(name) ? 'output' : null;
    if (before === kind) throw new Error(`graph ${kind} '${name}' is declared twice`);
    if (before) throw new Error(`graph ${kind} '${name}' has the name of an ${before}`);
  }

  /** A tensor fixed when the graph is built. */
  constant(shape: Shape, data: Float32Array | readonly number[]): Tensor {
    const values = data instanceof Float32Array ? data : Float32Array.from(data);
    if (sizeOf(shape) !== values.length) {
      throw new Error(`constant of shape [${shape}] needs ${sizeOf(shape)} numbers, got ${values.length}`);
    }
    return this.apply(constantOp, [], { shape: [...shape], data: values })[0];
  }

  scalar(value: number): Tensor {
    return this.constant([], [value]);
  }

  /** Runs `build` with `name` appended to the scope of every node it makes; scopes appear in error messages. */
  scope<T>(name: string, build: () => T): T {
    this.#scopes.push(name);
    try {
      return build();
    } finally {
      this.#scopes.pop();
    }
  }

  /**
   * Marks what `build` makes as a recomputation region (gradient checkpointing): its inner values are not kept for the
   * gradient but computed again from the region's inputs. Regions do not nest; the outermost one counts.
   */
  recompute<T>(build: () => T): T {
    if (this.#region !== 0) return build();
    this.#regionCount += 1;
    this.#region = this.#regionCount;
    try {
      return build();
    } finally {
      this.#region = 0;
    }
  }

  /** Appends one node and returns its outputs. Errors name the op, the scope and the input shapes. */
  apply(type: OpType, inputs: readonly Tensor[], attrs: Attributes): Tensor[] {
    const where = `${type.name} in '${this.#scopes.join('.') || '(top)'}'`;
    for (const tensor of inputs) {
      if (tensor.graph !== this) throw new Error(`${where}: an input belongs to another graph`);
      if (!type.typed && tensor.type !== 'float32') {
        throw new Error(`${where}: an input is ${tensor.type} where float32 is computed; slice and widen it first`);
      }
    }
    const numberType = type.typed?.(
      inputs.map((tensor) => tensor.type),
      attrs,
    );
    const shapes = this.#infer(type, inputs, attrs, where);
    const node = {
      type,
      inputs,
      attrs,
      scope: this.#scopes.join('.'),
      region: this.#region,
      outputs: [] as Tensor[],
    };
    shapes.forEach((shape, index) => {
      node.outputs.push({ graph: this, id: this.#tensorCount++, shape, type: numberType ?? 'float32', node, index });
    });
    this.nodes.push(node);
    return node.outputs;
  }

  #infer(type: OpType, inputs: readonly Tensor[], attrs: Attributes, where: string): readonly Shape[] {
    try {
      return type.infer(
        inputs.map((tensor) => tensor.shape),
        attrs,
      );
    } catch (error) {
      const shapes = inputs.map((tensor) => `[${tensor.shape.join(', ')}]`).join(' and ');
      throw new Error(`${where}: ${(error as Error).message} (shapes ${shapes || 'none'})`);
    }
  }
}

const declaredShape = (_: readonly Shape[], attrs: Attributes) => [attrs.shape as number[]];

export const inputOp: OpType = {
  name: 'input',
  infer: declaredShape,
  typed: (_, { type }) => type as NumberType,
};
export const constantOp: OpType = { name: 'constant', infer: declaredShape };
