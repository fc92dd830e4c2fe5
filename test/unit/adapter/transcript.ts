/**
 * A whole session as text that people read: every request, answer and event in order. It must be as it was recorded in test/golden/debug/,
 * to the letter, so that nothing is said that nobody asserts. `DMD_WRITE_TRANSCRIPTS=1` records it anew: look at the difference.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Message } from './client.ts';

const folder = fileURLToPath(new URL('../../golden/debug/', import.meta.url));

/** @param masks what differs from time to time -> what stands for it */
export function assertTranscript(
  name: string,
  messages: readonly Message[],
  masks: readonly [RegExp | string, string][],
) {
  const file = path.join(folder, `${name}.txt`);
  const shown = messages.filter((message) => !isProgress(message) && (name === 'attach' || !isGreeting(message)));
  const text = masks.reduce((all, [what, by]) => all.replaceAll(what, by), shown.map(written).join(''));
  if (process.env.DMD_WRITE_TRANSCRIPTS === '1') {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(file, text);
    return;
  }
  assert.equal(text, fs.readFileSync(file, 'utf8'), `${file}: DMD_WRITE_TRANSCRIPTS=1 records it anew`);
}

/** Told only of what takes long, which differs. */
const isProgress = (message: Message) => 'event' in message && message.event.startsWith('progress');

/** The same every time. */
const isGreeting = (message: Message) => 'command' in message && message.command === 'initialize';

function written(message: Message): string {
  if ('event' in message) return `* ${message.event}${value(message.body, 1)}\n`;
  if ('request_seq' in message) {
    const { command, success, body } = message;
    return `< ${command}${success ? '' : ' refused'}${value(body, 1)}\n`;
  }
  if ('command' in message) return `\n> ${message.command}${value(message.arguments, 1)}\n`;
  return assert.fail(JSON.stringify(message));
}

/** On one line where there is room, else a line for each part. */
function value(of: unknown, depth: number): string {
  if (of === undefined || of === null) return '';
  const line = JSON.stringify(of);
  if (line.length + 2 * depth < 110 || typeof of !== 'object') return ` ${line}`;
  const indent = `\n${'  '.repeat(depth)}`;
  if (Array.isArray(of)) return of.map((one) => `${indent}-${value(one, depth + 1)}`).join('');
  return Object.entries(of)
    .map(([key, one]) => (one === undefined ? '' : `${indent}${key}:${value(one, depth + 1)}`))
    .join('');
}
