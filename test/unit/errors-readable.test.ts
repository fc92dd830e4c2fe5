/** What files put into messages stays something that a person can read, and that a terminal does not obey. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../backend/protocol/errors.ts';
import { decodeSafetensors } from '../../backend/weights/safetensors.ts';

test('control characters are seen, not obeyed; ends of lines and all letters stay', () => {
  const { message, hint } = new UserError('io', 'a\x1b[2Jb\rc\n\td\0 größe 赤い 🙂', '\u202etxt.exe');
  assert.equal(message, 'a\\u001b[2Jb\\u000dc\n\td\\u0000 größe 赤い 🙂');
  assert.equal(hint, '\\u202etxt.exe');
});

test('a name without end is cut in its middle, and so are many words at their end', () => {
  const path = `/${'folder/'.repeat(100)}a.txt`; // as long as paths get
  assert.equal(new UserError('io', `cannot read ${path}`).message, `cannot read ${path}`);
  const { message } = new UserError('weights', `tensor '${'a'.repeat(1e6)}' is damaged`);
  assert.match(message, /^tensor 'a{199}\.\.\.a{99}' is damaged$/);
  assert.ok(new UserError('data', 'word '.repeat(1e5)).message.length < 8100);
});

test('a header whose names are a megabyte is refused in a message that can be read', () => {
  const json = JSON.stringify({ ['n'.repeat(1e6)]: { dtype: 'F'.repeat(1e6), shape: [0], data_offsets: [0, 0] } });
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(json.length));
  assert.throws(
    () => decodeSafetensors(Buffer.concat([head, Buffer.from(json)])),
    (error: Error) => error instanceof UserError && error.message.length < 2000 && /has the dtype/.test(error.message),
  );
});
