import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Wanted, WantedThing } from '../../backend/data/captioned/attributes.ts';
import { samplePrompts } from '../../backend/data/captioned/captioned-batch.ts';
import { readPrompt, wantedFromPrompt } from '../../backend/data/captioned/prompt.ts';
import { randomBelow } from '../random.ts';

/** Size, colour, shape, place: "small red circle @ top left", with ? for what is open. */
const inShort = ({ things, ground }: Wanted) => [
  ...things.map((thing: WantedThing) => {
    const { size, colour, shape, place } = thing;
    return `${size ?? '?'} ${colour ?? '?'} ${shape ?? '?'} @ ${place ?? '?'}`;
  }),
  `on ${ground ?? '?'}`,
];

test('every caption is read as what it was written from', () => {
  const seed = randomBelow(2 ** 31);
  for (const split of ['train', 'held-out'] as const) {
    for (const { prompt, wanted } of samplePrompts(2000, split, seed)) {
      const read = readPrompt(prompt);
      assert.deepEqual(read.unread, [], prompt);
      // The caption names the shapes in either order.
      assert.deepEqual(inShort(read.wanted!).toSorted(), inShort(wanted).toSorted(), prompt);
    }
  }
});

test('prompts as people type them', () => {
  const cases: Record<string, string[]> = {
    circle: ['? ? circle @ ?', 'on ?'],
    'A RED Star': ['? red star @ ?', 'on ?'],
    'small, red heart. Background is white': ['small red heart @ ?', 'on white'],
    'a red star, top left': ['? red star @ top left', 'on ?'],
    'a red star, on the left, a blue ring on the right': ['? red star @ left', '? blue ring @ right', 'on ?'],
    'a red star on the left a huge blue ring': ['? red star @ left', 'large blue ring @ ?', 'on ?'],
    'upper-left violet box / hoop, lower-right': ['? purple square @ top left', '? ? ring @ bottom right', 'on ?'],
    'in the middle of the right side, a disc': ['? ? circle @ right', 'on ?'],
    'star at the top center on background': ['? ? star @ top', 'on ?'],
    'pink shape in the middle with a turquoise backdrop': ['? pink ? @ centre', 'on cyan'],
  };
  for (const [prompt, expected] of Object.entries(cases)) {
    const wanted = wantedFromPrompt(prompt);
    assert.ok(wanted, prompt);
    assert.deepEqual(inShort(wanted), expected, prompt);
  }
});

test('what cannot be read is null, and words that are not understood are told', () => {
  for (const prompt of ['', 'a blue background', 'a circle, a square and a star', '...', 'ein roter Kreis']) {
    assert.equal(wantedFromPrompt(prompt), null, prompt);
  }
  assert.deepEqual(readPrompt('a shiny red circle on a grey ground').unread, ['shiny', 'grey']);
  assert.deepEqual(readPrompt('a red blue circle').unread, ['blue']);
  assert.deepEqual(readPrompt('a star at the top bottom').unread, ['bottom']);
  assert.deepEqual(readPrompt('a star on a red ground, blue background').unread, ['blue']);
  assert.deepEqual(readPrompt('<b>star 星 constructor').unread, ['<', 'b', '>', '星', 'constructor']);
});

test('long prompts are read in no time', () => {
  const start = performance.now();
  readPrompt('red '.repeat(50_000));
  readPrompt('star '.repeat(50_000));
  readPrompt(','.repeat(100_000));
  assert.ok(performance.now() - start < 5000);
});
