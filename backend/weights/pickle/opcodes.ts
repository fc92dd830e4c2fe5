/**
 * The opcodes of protocols 0 to 5 (Python's Lib/pickletools.py describes each). Two families are refused: the extension
 * registry and out-of-band buffers, because what they stand for is outside the file.
 */
import { refuse } from '../refusal.ts';
import {
  decodeLong,
  longestNumber,
  parseFloatLiteral,
  parseInteger,
  parseQuoted,
  parseRawUnicode,
} from './literals.ts';
import type { Machine } from './machine.ts';
import { describe, Foreign, type Value } from './values.ts';

export type Handler = (machine: Machine) => void;

/** A dictionary or set weighs more than a number. */
const containerCost = 8;

const numbers: Record<string, Handler> = {
  N: (m) => m.push(null),
  '\x88': (m) => m.push(true),
  '\x89': (m) => m.push(false),
  I: (m) => {
    const text = m.input.line(longestNumber);
    m.push(text === '00' ? false : text === '01' ? true : parseInteger(text));
  },
  L: (m) => m.push(parseInteger(m.input.line(longestNumber).replace(/L$/, ''))),
  F: (m) => m.push(parseFloatLiteral(m.input.line(longestNumber))),
  J: (m) => m.push(m.input.int32()),
  K: (m) => m.push(m.input.uint8()),
  M: (m) => m.push(m.input.uint16()),
  G: (m) => m.push(m.input.float64()),
  '\x8a': (m) => m.push(decodeLong(m.input.take(m.input.uint8()))),
  '\x8b': (m) => m.push(decodeLong(m.input.take(m.input.uint32()))),
};

const texts: Record<string, Handler> = {
  S: (m) => m.push(parseQuoted(m.input.line())),
  V: (m) => m.push(parseRawUnicode(m.input.line())),
  T: (m) => m.push(m.input.text(m.input.uint32())),
  U: (m) => m.push(m.input.text(m.input.uint8())),
  X: (m) => m.push(m.input.text(m.input.uint32())),
  '\x8c': (m) => m.push(m.input.text(m.input.uint8())),
  '\x8d': (m) => m.push(m.input.text(m.input.uint64())),
  B: (m) => m.push(m.input.take(m.input.uint32())),
  C: (m) => m.push(m.input.take(m.input.uint8())),
  '\x8e': (m) => m.push(m.input.take(m.input.uint64())),
  '\x96': (m) => m.push(m.input.take(m.input.uint64())),
};

const containers: Record<string, Handler> = {
  ')': (m) => m.push([]),
  ']': (m) => m.push([]),
  t: (m) => m.push(m.popToMark()),
  l: (m) => m.push(m.popToMark()),
  '\x85': (m) => m.push([m.pop()]),
  '\x86': (m) => {
    const last = m.pop();
    m.push([m.pop(), last]);
  },
  '\x87': (m) => {
    const last = m.pop();
    const middle = m.pop();
    m.push([m.pop(), middle, last]);
  },
  '}': (m) => m.push(new Map(), containerCost),
  d: (m) => {
    const items = m.popToMark();
    m.push(new Map(), containerCost);
    setItems(m.top(), items);
  },
  '\x8f': (m) => m.push(new Set(), containerCost),
  '\x91': (m) => m.push(new Set(m.popToMark()), containerCost),
  a: (m) => {
    const item = m.pop();
    append(m.top(), [item]);
  },
  e: (m) => {
    const items = m.popToMark();
    append(m.top(), items);
  },
  s: (m) => {
    const value = m.pop();
    const key = m.pop();
    setItems(m.top(), [key, value]);
  },
  u: (m) => {
    const items = m.popToMark();
    setItems(m.top(), items);
  },
  '\x90': (m) => {
    const items = m.popToMark();
    const set = m.top();
    if (!(set instanceof Set)) refuse(`its pickle adds members to ${describe(set)}`);
    for (const item of items) set.add(item);
  },
};

const objects: Record<string, Handler> = {
  c: (m) => {
    const module = m.input.line();
    m.push(m.environment.global(module, m.input.line()));
  },
  '\x93': (m) => {
    const name = m.pop();
    const module = m.pop();
    if (typeof module !== 'string' || typeof name !== 'string') refuse('its pickle names a global that is no text');
    m.push(m.environment.global(module, name));
  },
  R: (m) => {
    const args = m.pop();
    m.call(m.pop(), args);
  },
  '\x81': (m) => {
    const args = m.pop();
    m.call(m.pop(), args);
  },
  '\x92': (m) => {
    const named = m.pop();
    const args = m.pop();
    if (!(named instanceof Map) || named.size > 0) refuse('its pickle makes an object with named arguments');
    m.call(m.pop(), args);
  },
  i: (m) => {
    const module = m.input.line();
    const callee = m.environment.global(module, m.input.line());
    m.call(callee, m.popToMark());
  },
  o: (m) => {
    const [callee = null, ...args] = m.popToMark();
    m.call(callee, args);
  },
  b: (m) => {
    const state = m.pop();
    const object = m.top();
    // Attributes of a dictionary, such as a state dict's `_metadata`, are of no use here.
    if (object instanceof Foreign) object.setState(state);
  },
  P: (m) => m.push(m.environment.persistent(m.input.line())),
  Q: (m) => m.push(m.environment.persistent(m.pop())),
};

const machinery: Record<string, Handler> = {
  '\x80': (m) => {
    const protocol = m.input.uint8();
    if (protocol > 5) refuse(`its pickle has protocol ${protocol}; 0 to 5 are known`, 'Save it with protocol 4.');
  },
  '\x95': (m) => {
    const length = m.input.uint64();
    if (length > m.input.remaining)
      refuse(`its pickle is cut off: ${length} bytes announced, ${m.input.remaining} left`);
  },
  '(': (m) => m.mark(),
  '0': (m) => m.discard(),
  '1': (m) => void m.popToMark(),
  '2': (m) => m.push(m.top()),
  '\x94': (m) => m.remember(),
  p: (m) => m.remember(memoIndex(m)),
  q: (m) => m.remember(m.input.uint8()),
  r: (m) => m.remember(m.input.uint32()),
  g: (m) => m.recall(memoIndex(m)),
  h: (m) => m.recall(m.input.uint8()),
  j: (m) => m.recall(m.input.uint32()),
  ...Object.fromEntries(
    ['\x82', '\x83', '\x84'].map((code) => [code, () => refuse('its pickle uses extension codes')]),
  ),
  ...Object.fromEntries(['\x97', '\x98'].map((code) => [code, () => refuse('its pickle keeps buffers elsewhere')])),
};

/** By opcode, 0 to 255. STOP ('.') is not among them. */
export const handlers: readonly (Handler | undefined)[] = Array.from({ length: 256 }, (_, code) => {
  const char = String.fromCharCode(code);
  return numbers[char] ?? texts[char] ?? containers[char] ?? objects[char] ?? machinery[char];
});

function memoIndex(m: Machine): number {
  const index = parseInteger(m.input.line(longestNumber));
  return typeof index === 'number' && index >= 0 ? index : refuse(`its pickle has the memo index ${index}`);
}

function append(list: Value, items: Value[]): void {
  if (!Array.isArray(list)) refuse(`its pickle appends to ${describe(list)}`);
  for (const item of items) list.push(item);
}

function setItems(dictionary: Value, items: Value[]): void {
  if (!(dictionary instanceof Map)) refuse(`its pickle sets an item of ${describe(dictionary)}`);
  if (items.length % 2 === 1) refuse('its pickle sets a key without a value');
  for (let i = 0; i < items.length; i += 2) dictionary.set(items[i], items[i + 1]);
}
