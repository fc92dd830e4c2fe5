/** The walkthrough leads only to what is there, begins with an image, and its pictures follow the theme. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

interface Step {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly media: { readonly svg: string; readonly altText: string };
  readonly completionEvents: readonly string[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = async (file: string) => JSON.parse(await readFile(join(root, file), 'utf8'));
const { contributes } = await read('package.json');
const english: Record<string, string> = await read('package.nls.json');
const chinese: Record<string, string> = await read('package.nls.zh-cn.json');
const commands: string[] = contributes.commands.map(({ command }: { command: string }) => command);
const steps: Step[] = contributes.walkthroughs[0].steps;
const text = (key: string, texts = english) => texts[key.slice(1, -1)]!;

test('every link and every completion is a command of the extension', () => {
  for (const { id, description, completionEvents } of steps) {
    const links = [...text(description).matchAll(/\(command:([\w.]+)\)/g)].map(([, command]) => command!);
    assert.ok(links.length > 0, `${id} has no button`);
    const completing = completionEvents.flatMap((event) => /^onCommand:(.*)$/.exec(event)?.[1] ?? []);
    for (const command of [...links, ...completing]) assert.ok(commands.includes(command), `${id}: ${command}`);
    // A link that stands alone on its line becomes a button.
    assert.match(text(description), /\n\[[^\]]+\]\(command:[\w.]+\)(\n|$)/, id);
  }
});

test('no text has marks of Markdown, which the walkthrough would show as they are', async () => {
  for (const table of ['package.nls.json', 'package.nls.zh-cn.json']) {
    for (const [key, value] of Object.entries<string>(await read(table))) {
      if (key.startsWith('walkthrough.')) assert.doesNotMatch(value, /[*`]|__/, `${table}: ${key}`);
    }
  }
});

test('the first image comes before the first run', () => {
  const ids = steps.map(({ id }) => id);
  assert.equal(ids[0], 'image');
  assert.ok(ids.indexOf('run') < ids.indexOf('watch') && ids.indexOf('watch') < ids.indexOf('scores'));
});

test('pictures are drawn in colours of the theme, load nothing and need no style that a strict policy forbids', async () => {
  const files = steps.flatMap(({ media }) => [text(media.svg), text(media.svg, chinese)]);
  assert.equal(new Set(files).size, 2 * steps.length);
  for (const file of files) {
    const svg = await readFile(join(root, file), 'utf8');
    assert.match(svg, /fill="var\(--vscode-foreground, #\w+\)"/, file);
    assert.doesNotMatch(svg, /<script|<style|style=|(href|src)="(?!data:image\/png;base64,)/, file);
    for (const [, colour] of svg.matchAll(/(?:fill|stroke)="([^"]*)"/g)) {
      assert.match(colour!, /^(none|var\(--vscode-.*\))$/, `${file}: ${colour}`);
    }
    assert.equal(/\p{Script=Han}/u.test(svg), file.includes('/zh-cn/'), file);
  }
  for (const { media } of steps) assert.ok(text(media.altText).length > 20, media.svg);
});
