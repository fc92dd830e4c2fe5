/** Axes are guessed as libraries lay arrays out, can be exchanged, and cut what can be looked at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AxisRoles, guessAxes, seenBy, withRole } from '../../backend/protocol/values/axes.ts';

const letters = { rows: 'R', columns: 'C', channels: 'K', index: '.' } as const;
const short = (roles: AxisRoles) => roles.map((role) => letters[role]).join('');

test('axes are guessed from the shape', () => {
  for (const [shape, expected] of [
    [[], ''],
    [[9], 'C'],
    [[5, 7], 'RC'],
    [[3, 64, 64], 'KRC'],
    [[64, 64, 3], 'RCK'],
    [[3, 64, 3], 'KRC'],
    [[16, 64, 64], '.RC'],
    [[16, 3, 64, 64], '.KRC'],
    [[16, 64, 64, 3], '.RCK'],
    [[16, 4, 64, 64], '.KRC'],
    [[16, 1, 28, 28], '.KRC'],
    [[16, 128, 8, 8], '..RC'],
    [[2, 21, 4, 60, 104], '..KRC'],
    [[2, 3, 16, 32, 32], '.K.RC'],
    [[2, 16, 32, 32, 3], '..RCK'],
    [[2, 16, 21, 60, 104], '...RC'],
    [[8, 1, 1, 1], '.KRC'],
  ] as const) {
    assert.equal(short(guessAxes(shape)), expected, `[${shape}]`);
  }
});

test('a role that another axis has is exchanged, and the columns stay', () => {
  const roles = guessAxes([16, 3, 64, 64]);
  assert.equal(short(withRole(roles, 0, 'rows')), 'RK.C');
  assert.equal(short(withRole(roles, 1, 'index')), '..RC');
  assert.equal(short(withRole(roles, 2, 'columns')), '.KCR');
  assert.equal(short(withRole(roles, 3, 'index')), '.KRC');
  assert.equal(
    short(
      withRole(
        ['..', 'rows', 'columns'].map(() => 'index'),
        2,
        'columns',
      ),
    ),
    '..C',
  );
});

test('what is seen is channels by rows by columns, of the index that there is', () => {
  const seen = seenBy([16, 64, 48, 3], ['index', 'rows', 'columns', 'channels'], [99, 5, 5, 5], 1e6);
  assert.deepEqual(seen, {
    ...{ channels: 3, height: 64, width: 48, step: 1 },
    cut: { at: [15, null, null, null], step: [1, 1, 1, 1], order: [3, 1, 2] },
  });
  const flat = seenBy([10], ['columns'], [], 1e6);
  assert.deepEqual(flat, { channels: 1, height: 1, width: 10, step: 1, cut: { at: [null], step: [1], order: [0] } });
  assert.deepEqual(seenBy([], [], [], 10).cut, { at: [], step: [], order: [] });
});

test('of what is too large every n-th row and column is seen, never a channel less', () => {
  const wide = seenBy([3, 100, 5000], ['channels', 'rows', 'columns'], [], 2 ** 21);
  assert.deepEqual([wide.step, wide.height, wide.width, wide.cut.step], [3, 34, 1667, [1, 3, 3]]);
  const many = seenBy([3, 1024, 1024], ['channels', 'rows', 'columns'], [], 2 ** 21);
  assert.equal(many.step, 2);
  assert.ok(many.channels * many.height * many.width <= 2 ** 21);
});
