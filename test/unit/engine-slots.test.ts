/** Work of which so much is under way at a time (backend/engine/onnxruntime/c-api/slots.ts). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Slots } from '../../backend/engine/onnxruntime/c-api/slots.ts';

test('as much as there are slots is under way, the rest in its order, whatever fails', async () => {
  const slots = new Slots(2);
  const begun: number[] = [];
  const ends: ((failed: boolean) => void)[] = [];
  const work = (id: number) => () => {
    begun.push(id);
    return new Promise<number>((resolve, reject) => {
      ends[id] = (failed) => (failed ? reject(new Error(`${id} failed`)) : resolve(id));
    });
  };
  const all = [0, 1, 2, 3, 4].map((id) => slots.run(work(id)));
  const settled = Promise.allSettled(all);
  await turn();
  assert.deepEqual(begun, [0, 1]);
  ends[1]!(true);
  await turn();
  assert.deepEqual(begun, [0, 1, 2]);
  ends[0]!(false);
  ends[2]!(false);
  await turn();
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
  ends[4]!(false);
  ends[3]!(false);
  assert.deepEqual(
    (await settled).map((each) => (each.status === 'fulfilled' ? each.value : each.reason.message)),
    [0, '1 failed', 2, 3, 4],
  );
  await slots.run(async () => {});
});
