// The messages of the extension that can be translated: every first argument of `l10n.t` in extension/.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';
import { Failure } from './console.mjs';
import { root } from './process.mjs';

/** Message -> message, sorted: the form of l10n/bundle.l10n.json, whose translations are bundle.l10n.LANGUAGE.json. */
export async function messageBundle(folder = join(root, 'extension')) {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.ts')).sort();
  const messages = new Set();
  for (const file of files) {
    for (const message of messagesOf(await readFile(join(folder, file), 'utf8'), file)) messages.add(message);
  }
  return Object.fromEntries([...messages].sort().map((message) => [message, message]));
}

/** A message that is put together at run time can be neither collected nor translated: a Failure. */
export function messagesOf(text, file) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const messages = [];
  let isTakenOut = false;
  const visit = (node) => {
    if (ts.isVariableDeclaration(node) && takesOut(node)) isTakenOut = true;
    if (ts.isCallExpression(node) && isTranslation(node.expression, isTakenOut)) messages.push(literal(node, source));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return messages;
}

/** `vscode.l10n.t` or `l10n.t`, or plain `t` in a file that takes it out of there. */
function isTranslation(callee, isTakenOut) {
  if (ts.isIdentifier(callee)) return isTakenOut && callee.text === 't';
  return ts.isPropertyAccessExpression(callee) && callee.name.text === 't' && isL10n(callee.expression);
}

/** `const { t } = vscode.l10n` */
function takesOut({ name, initializer }) {
  if (!initializer || !isL10n(initializer) || !ts.isObjectBindingPattern(name)) return false;
  return name.elements.some((element) => element.name.text === 't');
}

function isL10n(node) {
  return (ts.isIdentifier(node) ? node : ts.isPropertyAccessExpression(node) ? node.name : undefined)?.text === 'l10n';
}

function literal(call, source) {
  const [message] = call.arguments;
  if (message && ts.isStringLiteralLike(message)) return message.text;
  const { line } = source.getLineAndCharacterOfPosition(call.getStart());
  throw new Failure(
    `${source.fileName}:${line + 1}: l10n.t takes a plain string, so that it can be translated`,
    'Put what varies into {0}, {1} and give it as further arguments.',
  );
}
