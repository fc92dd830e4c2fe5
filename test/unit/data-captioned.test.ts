import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  colourNames,
  colourSpread,
  heldOut,
  layout,
  lightColours,
  nameOfColour,
  nameOfPlace,
  nameOfSize,
  palette,
  placeNames,
  shapeIds,
  shapeNames,
  sizeNames,
} from '../../backend/data/captioned/attributes.ts';
import { captionedBatch, samplePrompts } from '../../backend/data/captioned/captioned-batch.ts';
import { captionedScene, captionedSize } from '../../backend/data/captioned/scene.ts';
import { allWords } from '../../backend/data/captioned/words.ts';
import { colourDistance } from '../../backend/data/scenes/scene.ts';
import { coverage, shapes } from '../../backend/data/scenes/shapes.ts';
import { randomBelow } from '../random.ts';

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const numbers = 3 * captionedSize ** 2;
const splits = ['train', 'held-out'] as const;

test('a captioned scene is a pure function of seed, split and index', () => {
  const one = captionedBatch(5, [7]);
  const among = captionedBatch(5, [3, 9, 7]);
  assert.deepEqual(among.images.data.slice(2 * numbers), one.images.data);
  assert.equal(among.captions[2], one.captions[0]);
  assert.notDeepEqual(captionedBatch(6, [7]).images.data, one.images.data);
  assert.notDeepEqual(captionedBatch(5, [8]).images.data, one.images.data);
  assert.notDeepEqual(captionedBatch(5, [7], 'held-out').images.data, one.images.data);
});

test('the numbers and words of a captioned scene never change between versions', () => {
  // A data set is named by its seed alone: other numbers under the same seed would be another data set.
  const { images, captions } = captionedBatch(1, [0, 1, 2]);
  const digest = images.data.reduce((sum, value, i) => sum + value * Math.sin(i), 0);
  assert.deepEqual(captions, [
    'there is a huge cyan circle in the bottom left corner on a white background',
    'cyan heart right, white backdrop',
    'large red square left, yellow backdrop',
  ]);
  assert.ok(Math.abs(digest + 2.3918568560211058) < 1e-3, `digest ${digest}`);
});

test('light on dark: one shape, lighter than its ground in every channel average; other splits and kinds stay apart', () => {
  const mean = (name: (typeof colourNames)[number]) => palette[name].reduce((sum, value) => sum + value, 0) / 3;
  const darkest = Math.min(...lightColours.map(mean));
  const others = colourNames.filter((name) => !lightColours.includes(name));
  assert.ok(
    others.every((name) => mean(name) < darkest),
    'every light colour is lighter than all others',
  );
  const seed = randomBelow(1e6);
  const seen = new Set<string>();
  for (const index of range(400)) {
    const { things, ground } = captionedScene(seed, index, { kind: 'light-on-dark' });
    assert.equal(things.length, 1);
    assert.ok(
      lightColours.includes(things[0]!.colour) && !lightColours.includes(ground),
      `${things[0]!.colour} ${ground}`,
    );
    assert.ok(!heldOut(things[0]!));
    seen.add(things[0]!.place).add(things[0]!.shape).add(ground);
  }
  assert.equal(seen.size, placeNames.length + shapeNames.length + others.length);
  const kept = captionedScene(seed, 3, { split: 'held-out', kind: 'light-on-dark' });
  assert.ok(kept.things.length === 1 && heldOut(kept.things[0]!));
});

test('every two colours of the palette can be told apart, and their names survive the spread', () => {
  for (const name of colourNames) {
    for (const corner of range(8)) {
      const sign = (c: number) => (corner & (1 << c) ? 1 : -1) * colourSpread;
      const [r, g, b] = palette[name];
      assert.equal(nameOfColour([r + sign(0), g + sign(1), b + sign(2)]), name);
    }
    for (const other of colourNames.filter((each) => each !== name)) {
      assert.ok(colourDistance(palette[name], palette[other]) > 0.75, `${name} and ${other}`);
    }
  }
  assert.equal(nameOfColour([0, 0, 0]), null);
});

test('about a tenth of the combinations are held out, some of every name and never all', () => {
  const all = colourNames.flatMap((colour) =>
    shapeNames.flatMap((shape) => placeNames.map((place) => ({ colour, shape, place }))),
  );
  const held = all.filter(heldOut);
  assert.equal(all.length, 540);
  assert.equal(held.length, 58);
  for (const key of ['colour', 'shape', 'place'] as const) {
    for (const value of new Set(all.map((each) => each[key]))) {
      const part = held.filter((each) => each[key] === value).length;
      const whole = all.filter((each) => each[key] === value).length;
      assert.ok(part >= 4 && part < whole / 5, `${value}: ${part} of ${whole}`);
    }
  }
  // Every pair of colour and shape is learned somewhere.
  for (const colour of colourNames) {
    for (const shape of shapeNames) {
      assert.ok(placeNames.filter((place) => !heldOut({ colour, shape, place })).length >= 5, `${colour} ${shape}`);
    }
  }
});

test('training never shows a held-out combination; a held-out scene does and says so', () => {
  const seed = randomBelow(2 ** 31);
  for (const index of range(1000)) {
    assert.ok(!captionedScene(seed, index).things.some(heldOut));
    const { things, wanted } = captionedScene(seed, index, { split: 'held-out' });
    assert.ok(things.some(heldOut));
    assert.notEqual(wanted.ground, null);
    for (const [i, { colour, shape, place }] of wanted.things.entries()) {
      assert.deepEqual([colour, shape, place], [things[i]!.colour, things[i]!.shape, things[i]!.place]);
    }
  }
});

test('what a scene is called is what it shows', () => {
  const seed = randomBelow(2 ** 31);
  for (const index of range(1000)) {
    for (const split of splits) {
      const { things, ground, backdrop, wanted } = captionedScene(seed, index, { split });
      assert.equal(nameOfColour(backdrop.groundColour), ground);
      assert.equal(wanted.things.length, things.length);
      for (const [i, { pose, shade, ...names }] of things.entries()) {
        const at = { x: pose.x / captionedSize, y: pose.y / captionedSize, reach: pose.reach / captionedSize };
        assert.equal(nameOfPlace(at.x, at.y), names.place);
        assert.equal(nameOfSize(at.reach), names.size);
        assert.equal(nameOfColour(shade), names.colour);
        assert.notEqual(names.colour, ground);
        for (const centre of [at.x, at.y]) {
          assert.ok(Math.min(centre, 1 - centre) - at.reach > layout.margin - 1e-6, `${centre} with ${at.reach}`);
        }
        for (const key of ['shape', 'colour', 'size', 'place'] as const) {
          const said = wanted.things[i]![key];
          assert.ok(said === null || said === names[key]);
        }
      }
    }
  }
});

test('names are drawn about evenly, and captions leave every attribute out at times', () => {
  const scenes = range(4000).map((index) => captionedScene(17, index));
  const things = scenes.flatMap((scene) => scene.things);
  const twos = scenes.filter((scene) => scene.things.length === 2).length / scenes.length;
  assert.ok(twos > 0.45 && twos < 0.55, `two shapes in ${twos}`);
  for (const [key, names] of [
    ['colour', colourNames],
    ['shape', shapeNames],
    ['size', sizeNames],
    ['place', placeNames],
  ] as const) {
    for (const name of names) {
      const share = (things.filter((thing) => thing[key] === name).length / things.length) * names.length;
      assert.ok(share > 0.5 && share < 1.5, `${name}: ${share} of its share`);
    }
    const open = scenes.flatMap(({ wanted }) => wanted.things).filter((thing) => thing[key] === null).length;
    assert.ok(open / things.length > 0.02 && open / things.length < 0.5, `${key} left out ${open}`);
  }
  const open = scenes.filter(({ wanted }) => wanted.ground === null).length / scenes.length;
  assert.ok(open > 0.05 && open < 0.15, `ground left out ${open}`);
});

test('captions use the listed words, every one of them, and read as English', () => {
  const words = new Set(allWords());
  const used = new Set<string>();
  const captions = splits.flatMap((split) => samplePrompts(5000, split, 4)).map(({ prompt }) => prompt);
  for (const caption of captions) {
    for (const word of caption.split(/(?=,)| /)) {
      assert.ok(words.has(word), `"${word}" in "${caption}"`);
      used.add(word);
    }
    assert.doesNotMatch(caption, / {2}|^ | $| ,|\ba [aeiou]|\ban [^aeiou]/, caption);
  }
  assert.deepEqual(
    [...words].filter((word) => !used.has(word)),
    [],
  );
  assert.ok(words.size <= 80);
  assert.ok(new Set(captions).size > 7000, `${new Set(captions).size} different captions`);
});

test('pixels stay in [-1, 1]; the shapes are where they should be and do not touch', () => {
  const cover = () => new Float32Array(captionedSize ** 2).fill(Number.NaN);
  const { images, scenes } = captionedBatch(9, range(300));
  assert.deepEqual(images.shape, [300, 3, captionedSize, captionedSize]);
  assert.ok(images.data.every((value) => Math.abs(value) <= 1));
  for (const [i, { things }] of scenes.entries()) {
    const covers = things.map(({ shape, pose }) => coverage(shapes[shapeIds[shape]]!, pose, captionedSize, cover()));
    for (const [k, pixels] of covers.entries()) {
      const inside = range(captionedSize ** 2).filter((at) => pixels[at] === 1);
      assert.ok(inside.length > 30);
      for (const c of [0, 1, 2] as const) {
        const shade = Math.min(1, Math.max(-1, things[k]!.shade[c]));
        const value = images.data[i * numbers + c * captionedSize ** 2 + inside[0]!]!;
        assert.ok(Math.abs(value - shade) < 1e-6);
      }
    }
    if (covers.length === 2) assert.ok(!covers[0]!.some((value, at) => value > 0 && covers[1]![at]! > 0));
  }
});
