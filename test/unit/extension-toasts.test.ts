/**
 * A notification may stay for hours in the notification centre: nothing waits for it, neither what the monitor asks nor a command.
 * Modal questions are another thing: the window waits with them.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type * as Picks from '../../extension/panels/monitor/pick-runs.ts';
import { load } from './extension/load.ts';
import { runRecord } from './extension/run-record.ts';

const extension = fileURLToPath(new URL('../../extension', import.meta.url));
const notification = /^show(Information|Warning|Error)Message$/;

test('no part of the extension waits for a notification', () => {
  const files = readdirSync(extension, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const found = files.map((name) => awaited(join(extension, name)));
  assert.ok(found.reduce((sum, { all }) => sum + all, 0) > 10, 'they are found');
  assert.deepEqual(
    found.flatMap(({ waiting }) => waiting),
    [],
  );
});

test('a picker of runs without runs is over while its notification is still there', { timeout: 180_000 }, async () => {
  const { exports, vscode } = await load<typeof Picks>("export * from './extension/panels/monitor/pick-runs.ts';");
  vscode.answers.set('showInformationMessage', () => new Promise(() => {}));
  const only = runRecord();
  const runs = { watch: async () => [only] };
  assert.deepEqual(await exports.pickRuns(runs as never, [only.folder]), []);
  assert.equal(vscode.calls.filter(([name]) => name === 'showInformationMessage').length, 1);
});

/** The notifications of a file, and the places where something waits for one. */
function awaited(file: string): { all: number; waiting: string[] } {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const waiting: string[] = [];
  let all = 0;
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && notification.test(node.name.text)) {
      all += 1;
      if (!isDropped(node) && !isModal(node)) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        waiting.push(`${file}:${line + 1}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { all, waiting };
}

/** It stands as a statement of its own, maybe with what is done with the answer; nothing gets its promise. */
function isDropped(node: ts.Node): boolean {
  let outer = node;
  while (ts.isCallExpression(outer.parent) || ts.isPropertyAccessExpression(outer.parent)) {
    if (ts.isCallExpression(outer.parent) && outer.parent.expression !== outer) return false;
    outer = outer.parent;
  }
  return ts.isExpressionStatement(outer.parent) || ts.isVoidExpression(outer.parent);
}

function isModal(node: ts.Node): boolean {
  const call = node.parent;
  if (!ts.isCallExpression(call)) return false;
  const modal = /\bmodal: true\b/;
  return call.arguments.some((given) => {
    if (!ts.isIdentifier(given)) return modal.test(given.getText());
    const declared = new RegExp(`\\b${given.text} = \\{[^;]*`).exec(node.getSourceFile().text);
    return declared !== null && modal.test(declared[0]);
  });
}
