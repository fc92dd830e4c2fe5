/**
 * What can be waited for of a number, as variables below it: `changes by more than`, `crosses`, `is not finite`. A data breakpoint on one
 * of them waits for that; the limits can be changed like any variable, and hold as long as the session.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { DataBreakpoint } from '../protocol/debug-requests.ts';
import { AdapterError } from './errors.ts';
import { numberText } from './one-line.ts';

const waits = ['changes by more than', 'crosses', 'is not finite'] as const;
type Wait = (typeof waits)[number];

/** `loss.fake crosses 0.5`: what it waits for is part of a data breakpoint's id, so that it can be kept and set again. */
const idPattern = /^(.+?) (changes by more than|crosses|is not finite)(?: (\S+))?$/;

export class Waits {
  readonly #limits = new Map<string, number>();

  /** @param value the number's own, which limits begin at */
  variables(name: string, value: number): DebugProtocol.Variable[] {
    return waits.map((wait) => ({
      name: wait,
      value: wait === 'is not finite' ? String(!Number.isFinite(value)) : numberText(this.#limit(name, wait, value)),
      type: wait === 'is not finite' ? 'boolean' : 'limit',
      variablesReference: 0,
      presentationHint: { kind: 'virtual', ...(wait === 'is not finite' ? { attributes: ['readOnly'] } : {}) },
    }));
  }

  /** @returns the limit as it is now. Throws AdapterError */
  set(name: string, wait: string, text: string): number {
    const limit = Number(text);
    const isOdd = text.trim() === '' || !Number.isFinite(limit) || (wait === waits[0] && limit < 0);
    if (!isWait(wait) || wait === 'is not finite' || isOdd) throw new AdapterError('notALimit', { text, wait });
    this.#limits.set(`${name} ${wait}`, limit);
    return limit;
  }

  /** The id of a data breakpoint on one of the variables. */
  id(name: string, value: number, wait: string): string | null {
    if (!isWait(wait)) return null;
    return wait === 'is not finite'
      ? `${name} ${wait}`
      : `${name} ${wait} ${numberText(this.#limit(name, wait, value))}`;
  }

  #limit(name: string, wait: Wait, value: number): number {
    const own = Number.isFinite(value) ? value : 0;
    return this.#limits.get(`${name} ${wait}`) ?? (wait === 'crosses' ? own : Math.abs(own) / 10);
  }
}

const isWait = (text: string): text is Wait => waits.some((wait) => wait === text);

/** What an id means: the number's expression, and what to wait for where the id says so. */
export function ofId(dataId: string): { readonly expression: string; readonly when: DataBreakpoint['when'] | null } {
  const [, expression, wait, limit] = idPattern.exec(dataId) ?? [];
  const number = Number(limit);
  if (expression === undefined || (wait !== 'is not finite' && !Number.isFinite(number))) {
    return { expression: dataId, when: null };
  }
  if (wait === 'crosses') return { expression, when: { type: 'crosses', level: number } };
  if (wait === 'is not finite') return { expression, when: { type: 'is not finite' } };
  return { expression, when: { type: 'changes', by: Math.abs(number) } };
}
