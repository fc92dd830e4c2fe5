/** What a person changes at a stop: numbers of a tensor, in part or whole, and settings. All that follows is computed from them. */
import { sizeOf } from '../graph/tensor-data.ts';
import { UserError } from '../protocol/errors.ts';
import type { Debugger } from './debugger.ts';
import { notStanding } from './errors.ts';
import { assigned, type Computed, isTensor, mostNumbers } from './expression/array.ts';
import { evaluate, placesOf } from './expression/evaluate.ts';
import { type Assignment, type Expression, parseExpression } from './expression/parse.ts';
import { wrong } from './expression/tokens.ts';
import type { DebugHost } from './host.ts';
import { shownNumber } from './words.ts';

export class Changes {
  readonly #debugger: Debugger;
  readonly #host: DebugHost;

  constructor(host: DebugHost, debug: Debugger) {
    this.#host = host;
    this.#debugger = debug;
  }

  /** @returns the target as it is now. Throws UserError('usage') with the place in the text. */
  async assign({ target, value }: Assignment): Promise<Expression> {
    const of = target.kind === 'index' ? target.of : target;
    if (of.kind !== 'name') throw wrong('only a name, or a part of what it names, can be set', target.at);
    const name = of.words.join('.');
    const { trainer } = this.#host;
    const words = trainer.adjustable?.words?.[name];
    if (words) throw wrong(`${name} is one of ${words.join(', ')}`, value.at);
    if (target.kind === 'name' && Object.hasOwn(trainer.adjustable?.natural(trainer.step + 1) ?? {}, name)) {
      await this.#set(name, value);
      return target;
    }
    const stop = this.#debugger.stopNow;
    if (!stop) throw notStanding();
    const held = stop.held.find(name);
    if (!held) throw wrong(`nothing that can be set is called ${name}`, of.at);
    const names = this.#debugger.names();
    const computed = await evaluate(value, names);
    const places = target.kind === 'index' ? await placesOf(target.indices, names) : [];
    await this.#change(name, (data) => assigned({ shape: held.shape, data }, places, computed, target.at));
    return target;
  }

  /**
   * Sets a setting whose values are words, such as `matching.weight`. @returns the target as it is now; null: it is none of those
   * @throws UserError('usage') for a word that it does not know
   */
  chosen(target: string, value: string): Expression | null {
    const name = target.trim();
    const words = this.#host.trainer.adjustable?.words?.[name];
    if (!words) return null;
    const word = value.trim().replace(/^(["'])(.*)\1$/, '$2');
    const place = words.indexOf(word);
    if (place < 0 && word !== 'null') throw wrong(`${name} is one of ${words.join(', ')}`, 0);
    this.#hold(name, place < 0 ? null : place, word);
    return parseExpression(name);
  }

  /** Puts bytes of float32, little-endian, at an offset. @returns how many */
  async write(name: string, offset: number, bytes: Uint8Array): Promise<number> {
    const { held } = this.#debugger.stop;
    const size = 4 * held.get(name).size;
    const own = bytes.subarray(0, Math.max(0, size - offset));
    if (own.length === 0) return 0;
    await this.#change(name, (data) => new Uint8Array(data.buffer).set(own, offset));
    return own.length;
  }

  async #change(name: string, change: (data: Float32Array) => void): Promise<void> {
    const { held, place } = this.#debugger.stop;
    const tensor = held.get(name);
    if (sizeOf(tensor.shape) > 4 * mostNumbers) {
      const message = `${name} has ${tensor.size} numbers, more than the ${4 * mostNumbers} of what can be changed`;
      throw new UserError('usage', message, 'Change what it is computed from.');
    }
    const before = await tensor.whole();
    const after = before.slice();
    change(after);
    held.replace(name, after);
    this.#debugger.edits.add(place.ordinal, name, before, after);
    this.#host.intervened(place.step, `changes ${name} after '${place.stage}'`);
  }

  /** A setting holds from when the iteration next asks for it, until it is set to `null` or the debugger leaves. */
  async #set(name: string, value: Expression): Promise<void> {
    if (value.kind === 'name' && value.words.join('.') === 'null') return this.#hold(name, null);
    const number = settingOf(name, await evaluate(value, this.#debugger.names()), value.at);
    this.#hold(name, number);
  }

  /** @param number null: as the config has it. @param shown for people */
  #hold(name: string, number: number | null, shown = number === null ? '' : shownNumber(number)): void {
    const { trainer } = this.#host;
    const { natural, overrides } = trainer.adjustable!;
    const stop = this.#debugger.stopNow;
    const step = stop?.place.step ?? trainer.step + 1;
    if (number === null) {
      if (!overrides.delete(name)) return;
      this.#host.intervened(step, `${name} as the config has it`);
    } else {
      overrides.set(name, number);
      this.#host.intervened(step, `${name} = ${shown} from here on`);
    }
    const now = overrides.get(name) ?? natural(step)[name]!;
    // An iteration that has drawn it already computes with what it drew.
    const { between, held } = stop ?? {};
    const used = between?.stage === 'draw' || between?.origin?.graph.inputs.has(name);
    if (used && held?.find(name)) held.replace(name, Float32Array.of(now));
  }
}

function settingOf(name: string, value: Computed, at: number): number {
  if (isTensor(value) || !Number.isFinite(value) || value < 0) {
    throw wrong(`${name} is a number of at least 0`, at);
  }
  return value;
}
