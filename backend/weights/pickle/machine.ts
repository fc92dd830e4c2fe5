/**
 * The state of Python's pickle machine: a stack, marks in it, and a memo of values to come back to. Every way to make it
 * grow costs from the budget.
 */
import { refuse } from '../refusal.ts';
import type { ByteReader } from './byte-reader.ts';
import { type Budget, Callable, describe, type Value } from './values.ts';

/** What a pickle may refer to. Each refuses what it does not know. */
export interface Environment {
  /** A module's function, class or constant. */
  global(module: string, name: string): Value;
  /** An object kept outside the pickle. */
  persistent(id: Value): Value;
  readonly budget: Budget;
}

/** A table entry weighs more than the number it may stand for. */
const memoCost = 4;

export class Machine {
  readonly input: ByteReader;
  readonly environment: Environment;
  private readonly stack: Value[] = [];
  /** The stack's length at each open mark. */
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, Value>();

  constructor(input: ByteReader, environment: Environment) {
    this.input = input;
    this.environment = environment;
  }

  push(value: Value, cost = 1): void {
    this.environment.budget.spend(cost);
    this.stack.push(value);
  }

  pop(): Value {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) refuse('its pickle takes a value that is not there');
    return this.stack.pop() as Value;
  }

  top(): Value {
    const value = this.pop();
    this.stack.push(value);
    return value;
  }

  mark(): void {
    this.environment.budget.spend(1);
    this.marks.push(this.stack.length);
  }

  /** The values above the last mark, which goes with them. */
  popToMark(): Value[] {
    const mark = this.marks.pop();
    if (mark === undefined) refuse('its pickle goes back to a mark that was never set');
    return this.stack.splice(mark);
  }

  /** POP: a value, or a mark when it is the uppermost thing. */
  discard(): void {
    if (this.marks.length > 0 && this.marks.at(-1) === this.stack.length) this.marks.pop();
    else this.pop();
  }

  remember(index: number = this.memo.size): void {
    this.environment.budget.spend(memoCost);
    this.memo.set(index, this.top());
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) refuse(`its pickle recalls value ${index}, which it never stored`);
    this.push(value);
  }

  /** Calls an entry of the allow-list; its result goes onto the stack. */
  call(callee: Value, args: Value): void {
    if (!(callee instanceof Callable)) refuse(`its pickle calls ${describe(callee)}`, 'Do not trust this file.');
    if (!Array.isArray(args)) refuse(`its pickle calls ${callee.name} with ${describe(args)}`);
    this.push(callee.call(args, this.environment.budget));
  }
}
