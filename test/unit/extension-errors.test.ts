/** What an error says to the person, and what it leaves in the log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as Protocol from '../../backend/protocol/errors.ts';
import type * as ErrorsModule from '../../extension/errors.ts';
import { load } from './extension/load.ts';

const { exports, vscode } = await load<typeof ErrorsModule & typeof Protocol>(
  "export * from './extension/errors.ts'; export * from './backend/protocol/errors.ts';",
);
const { Errors, UserError } = exports;
type Log = ConstructorParameters<typeof Errors>[0];

function shown(): { errors: InstanceType<typeof Errors>; messages: () => unknown[][] } {
  vscode.calls.length = 0;
  vscode.log.lines.length = 0;
  vscode.answers.clear();
  const messages = () => vscode.calls.filter(([name]) => name === 'showErrorMessage').map(([, ...args]) => args);
  return { errors: new Errors(vscode.log as unknown as Log), messages };
}

test('the person reads what did not work, why, and what to do; the log has the stack of what caused it', () => {
  const { errors, messages } = shown();
  const cause = new Error('ENOSPC');
  errors.show(new UserError('io', 'the disk is full', 'Free some space', { cause }), 'Could not start the run');
  assert.deepEqual(messages(), [['Could not start the run: the disk is full. Free some space.', 'Show Log']]);
  const [[level, text]] = vscode.log.lines as [[string, string]];
  assert.equal(level, 'error');
  assert.ok(text.includes(String(cause.stack)) && !text.includes('UserError'), text);
});

test('a sentence in Chinese ends with its own full stop, and with one', () => {
  const { errors, messages } = shown();
  errors.show(new UserError('io', '磁盘已满。', '请释放空间'), '无法开始运行');
  assert.deepEqual(messages(), [['无法开始运行: 磁盘已满。 请释放空间。', 'Show Log']]);
});

test("a bug's stack goes to the log, not to the person", () => {
  const { errors, messages } = shown();
  const bug = new TypeError('x is undefined');
  errors.show(bug, 'Could not list the runs');
  assert.deepEqual(messages(), [['Could not list the runs: x is undefined.', 'Show Log']]);
  assert.ok(vscode.log.lines[0]![1].includes(String(bug.stack)));
});

test('what the person cancelled is no error', async () => {
  const { errors, messages } = shown();
  errors.show(new UserError('cancelled', 'cancelled'), 'Could not start the run');
  assert.equal(await errors.guard('x', () => Promise.reject(new UserError('cancelled', 'cancelled'))), undefined);
  assert.deepEqual([messages(), vscode.log.lines], [[], []]);
});

test('one crash that ends many requests is one message, and each is in the log', () => {
  const { errors, messages } = shown();
  for (let i = 0; i < 3; i++) errors.show(new UserError('io', 'the backend crashed'));
  errors.show(new UserError('io', 'something else'));
  assert.equal(messages().length, 2);
  assert.equal(vscode.log.lines.length, 4);
});

test('a button runs its action', async () => {
  const { errors } = shown();
  vscode.answers.set('showErrorMessage', 'Restart Backend');
  const pressed = new Promise<void>((resolve) => {
    errors.show(new Error('again and again'), 'The backend crashed', [{ title: 'Restart Backend', run: resolve }]);
  });
  await pressed;
});

test('a command answers with what it made, or shows why not', async () => {
  const { errors, messages } = shown();
  assert.equal(await errors.guard('x', async () => 7), 7);
  assert.equal(await errors.guard('Could not count', () => Promise.reject('no numbers')), undefined);
  assert.deepEqual(messages(), [['Could not count: no numbers.', 'Show Log']]);
});
