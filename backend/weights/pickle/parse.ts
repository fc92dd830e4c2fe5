/**
 * Reads Python pickles as data. No name in a file leads to code: it is looked up in the environment's allow-list, whose
 * entries are the few data-building functions this program has for it, and every other name ends the reading.
 */
import { refuse } from '../refusal.ts';
import type { ByteReader } from './byte-reader.ts';
import { type Environment, Machine } from './machine.ts';
import { handlers } from './opcodes.ts';
import type { Value } from './values.ts';

const stop = '.'.charCodeAt(0);

/** Reads one pickle from where `input` stands and leaves `input` behind it. */
export function parsePickle(input: ByteReader, environment: Environment): Value {
  const machine = new Machine(input, environment);
  for (;;) {
    const opcode = input.uint8();
    if (opcode === stop) return machine.pop();
    const handler = handlers[opcode];
    if (!handler) {
      refuse(`byte ${input.position - 1}, 0x${opcode.toString(16).padStart(2, '0')}, is no pickle instruction`);
    }
    handler(machine);
  }
}
