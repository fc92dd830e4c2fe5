/** In a workspace that is not trusted, runs can be looked at; nothing else reaches the backend. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as protocol from '../../backend/protocol/rpc/index.ts';
import type * as EditorBackendModule from '../../extension/backend/editor-backend.ts';
import type * as ErrorsModule from '../../extension/errors.ts';
import type * as Mend from '../../extension/mend.ts';
import { load } from './extension/load.ts';

type Definition = protocol.RequestDefinition<unknown, unknown>;

const { exports, vscode } = await load<typeof EditorBackendModule & typeof ErrorsModule & typeof Mend>(
  ['backend/editor-backend', 'errors', 'mend'].map((name) => `export * from './extension/${name}.ts';`).join('\n'),
);
const requests = (Object.values(protocol) as unknown[]).filter(isRequest);

/** All others, those to come too, are refused. */
const viewing = [
  ...['runs/watch', 'runs/open', 'runs/samples', 'runs/fields', 'runs/follow', 'runs/unfollow'],
  ...['runs/health', 'runs/csv', 'runs/compare', 'runs/tensors/list', 'runs/tensors/read'],
  ...['runs/drawn', 'runs/clock', 'runs/values', 'runs/histograms'],
  ...['weights/describe', 'weights/read', 'weights/histogram'],
];

/** The error of a request; with a Node that is not there, no request gets further than to the program's start. */
async function failure(definition: Definition, isTrusted: boolean): Promise<unknown> {
  vscode.workspace.isTrusted = isTrusted;
  vscode.workspace.settings['dmd.nodePath'] = '/no/such/node';
  const { EditorBackend, Errors } = exports;
  const backend = new EditorBackend(
    vscode.Uri.file('/no/such/extension') as never,
    vscode.log as never,
    new Errors(vscode.log as never),
  );
  try {
    await backend.request(definition, {});
    return 'answered';
  } catch (error) {
    return error;
  } finally {
    await backend.shutDown();
  }
}

const outcome = async (definition: Definition, isTrusted: boolean) => String(await failure(definition, isTrusted));

test('what only looks are requests of the protocol', () => {
  const known = requests.map(({ method }) => method);
  for (const method of viewing) assert.ok(known.includes(method), method);
});

for (const definition of requests) {
  const { method } = definition;
  test(`${method} in an untrusted workspace`, async () => {
    const isRefused = /nothing runs in a workspace that is not trusted/;
    if (viewing.includes(method)) assert.doesNotMatch(await outcome(definition, false), isRefused);
    else assert.match(await outcome(definition, false), isRefused);
    assert.match(await outcome(definition, true), /dmd\.nodePath is not a Node that runs/);
  });
}

test('what is refused for want of trust has the button that gives it', async () => {
  const error = await failure(protocol.startRun as unknown as Definition, false);
  const { mendsOf } = exports;
  assert.deepEqual(
    mendsOf(error).map(({ title }) => title),
    ['Manage Trust'],
  );
});

function isRequest(value: unknown): value is Definition {
  return typeof value === 'object' && value !== null && 'method' in value && 'timeoutSeconds' in value;
}
