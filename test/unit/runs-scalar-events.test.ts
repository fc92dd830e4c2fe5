/** The quick way to read events of numbers: the same as the whole way, or not at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeEvent, encodeEvent, type RunEvent, type SummaryValue } from '../../backend/runs/events/proto.ts';
import { ScalarEvents } from '../../backend/runs/events/scalar-events.ts';
import { randomBelow, uniform } from '../random.ts';

const odd = [Number.NaN, Number.POSITIVE_INFINITY, 0, -0];
const tags = ['loss/matching', 'loss', 'l', 'a tag that is rather long, as some programs write', 'rate'];

function randomEvent(more: readonly SummaryValue[] = []): RunEvent {
  const values = Array.from({ length: randomBelow(6) }, (_, i): SummaryValue => {
    const value = Math.fround(uniform() < 0.1 ? odd[randomBelow(odd.length)]! : uniform() - 0.5);
    return { kind: 'scalar', tag: uniform() < 0.8 ? tags[i % tags.length]! : tags[randomBelow(tags.length)]!, value };
  });
  const step = uniform() < 0.2 ? randomBelow(2 ** 31) * 2 ** 10 : randomBelow(300);
  return { wallTime: 1e9 * uniform(), step, fileVersion: '', restart: false, values: [...values, ...more] };
}

test('events of numbers are read as they are read the whole way', () => {
  const quick = new ScalarEvents();
  for (let i = 0; i < 2000; i++) {
    const bytes = encodeEvent(randomEvent());
    assert.deepEqual(quick.decode(bytes), decodeEvent(bytes));
  }
});

test('what has more in it is left to the whole way', () => {
  const quick = new ScalarEvents();
  const scalar = (tag: string): SummaryValue => ({ kind: 'scalar', tag, value: 1 });
  assert.equal(quick.decode(encodeEvent(randomEvent([{ kind: 'text', tag: 't', text: 'x' }]))), undefined);
  assert.equal(quick.decode(encodeEvent(randomEvent([scalar('Verlust über alles')]))), undefined);
  assert.equal(quick.decode(encodeEvent({ ...randomEvent(), restart: true })), undefined);
  assert.equal(quick.decode(encodeEvent({ ...randomEvent(), fileVersion: 'brain.Event:2' })), undefined);
});

test('damaged events are never read as others', () => {
  const quick = new ScalarEvents();
  for (let i = 0; i < 3000; i++) {
    const bytes = encodeEvent(randomEvent());
    if (uniform() < 0.5) bytes[randomBelow(bytes.length)] = randomBelow(256);
    const damaged = bytes.subarray(0, uniform() < 0.5 ? randomBelow(bytes.length + 1) : bytes.length);
    const found = quick.decode(damaged);
    if (found) assert.deepEqual(found, decodeEvent(damaged));
  }
});
