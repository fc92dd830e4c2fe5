/**
 * What a pickle can turn into here: data and nothing else. Lists and tuples are arrays, dictionaries are Maps, bytes are
 * views of the file. Everything beyond Python's own data types is a `Foreign`, made only by the allow-list's entries.
 */
import { refuse } from '../refusal.ts';

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Value[]
  | Map<Value, Value>
  | Set<Value>
  | Foreign;

/** A value that Python's pickle would build by calling something. */
export abstract class Foreign {
  /** What BUILD hands over (`__setstate__`); data that no reader asks for is dropped. */
  setState(_state: Value): void {}
}

/** A function or class of the allow-list: a name, and what this program does when a file calls it. */
export class Callable extends Foreign {
  readonly name: string;
  readonly call: (args: readonly Value[], budget: Budget) => Value;

  constructor(name: string, call: Callable['call']) {
    super();
    this.name = name;
    this.call = call;
  }
}

/** A name that a file may mention but not call, e.g. a storage type. */
export class Constant<T> extends Foreign {
  readonly name: string;
  readonly value: T;

  constructor(name: string, value: T) {
    super();
    this.name = name;
    this.value = value;
  }
}

/** An object of some class, as the attributes that were pickled. The class itself is never looked at. */
export class Instance extends Foreign {
  readonly className: string;
  readonly attributes: Map<Value, Value>;

  constructor(className: string, attributes: Map<Value, Value> = new Map()) {
    super();
    this.className = className;
    this.attributes = attributes;
  }

  override setState(state: Value): void {
    // Python allows a pair (attributes, slots) too.
    const attributes = Array.isArray(state) ? state[0] : state;
    if (!(attributes instanceof Map)) return;
    for (const [key, value] of attributes) this.attributes.set(key, value);
  }
}

/**
 * How much a file may make this program build, so that a small hostile file cannot fill the memory or the time. A
 * published checkpoint stays below a tenth of it; tensors do not count, they are views of the file.
 */
export class Budget {
  private left = 5_000_000;

  spend(amount: number): void {
    this.left -= amount;
    if (this.left < 0) refuse('its pickle builds more objects than any model needs', 'Do not trust this file.');
  }
}

/** A value in a few words, for messages. */
export function describe(value: Value | undefined): string {
  if (value === null || value === undefined) return 'None';
  if (value instanceof Callable || value instanceof Constant) return value.name;
  if (value instanceof Instance) return `an object of class ${value.className}`;
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map) return 'a dictionary';
  if (value instanceof Set) return 'a set';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Foreign) return value.constructor.name;
  if (typeof value === 'string') return `'${value.slice(0, 60)}'`;
  return String(value).slice(0, 60);
}
