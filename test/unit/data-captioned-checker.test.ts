import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  colourNames,
  placeNames,
  shapeNames,
  type Thing,
  type Wanted,
} from '../../backend/data/captioned/attributes.ts';
import { captionedBatch } from '../../backend/data/captioned/captioned-batch.ts';
import { type CaptionVerdict, checkCaptioned } from '../../backend/data/captioned/checker.ts';
import { readScene } from '../../backend/data/captioned/read-scene.ts';
import {
  type CaptionedScene,
  captionedScene,
  captionedSize,
  paintCaptioned,
  type Split,
} from '../../backend/data/captioned/scene.ts';
import { colourDistance } from '../../backend/data/scenes/scene.ts';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';
import { randomBelow } from '../random.ts';

const PIXELS = captionedSize ** 2;
const NUMBERS = 3 * PIXELS;
// DMD_TEST_SCENES=2000 measures the shares that the tests only hold to their bounds.
const COUNT = Number(process.env.DMD_TEST_SCENES ?? 100);
const MISTAKES = Math.ceil(COUNT / 2);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/** Everything there is to say about a scene. */
function whole({ things, ground }: CaptionedScene): Wanted {
  return { things: things.map(({ shape, colour, size, place }) => ({ shape, colour, size, place })), ground };
}

function paint(scene: Pick<CaptionedScene, 'things' | 'backdrop'>): Float32Array {
  return paintCaptioned(scene, new Float32Array(NUMBERS).fill(Number.NaN));
}

/** Gaussian blur, edges repeated. */
function blurred(image: Float32Array, sigma: number): Float32Array {
  const radius = Math.ceil(3 * sigma);
  const kernel = range(2 * radius + 1).map((i) => Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)));
  const total = kernel.reduce((a, b) => a + b);
  const clamp = (v: number) => Math.min(captionedSize - 1, Math.max(0, v));
  const pass = (from: Float32Array, dx: number, dy: number) =>
    from.map((_, i) => {
      const plane = Math.floor(i / PIXELS) * PIXELS;
      const [x, y] = [i % captionedSize, Math.floor((i % PIXELS) / captionedSize)];
      let sum = 0;
      for (const [k, weight] of kernel.entries()) {
        const row = clamp(y + dy * (k - radius));
        sum += weight * from[plane + row * captionedSize + clamp(x + dx * (k - radius))]!;
      }
      return sum / total;
    });
  return pass(pass(image, 1, 0), 0, 1);
}

function noisy(image: Float32Array, deviation: number, generator: TorchGenerator): Float32Array {
  const noise = generator.randn(image.length);
  return image.map((value, i) => value + deviation * noise[i]!);
}

/** The share of `count` verdicts that are right. */
function share(count: number, verdict: (index: number) => Pick<CaptionVerdict, 'right'>): number {
  return range(count).filter((index) => verdict(index).right).length / count;
}

/** Any of the names but this one. */
function other<T>(names: readonly T[], but: T): T {
  const rest = names.filter((name) => name !== but);
  return rest[randomBelow(rest.length)]!;
}

for (const split of ['train', 'held-out'] as const satisfies readonly Split[]) {
  test(`at least 99 % of true renders are right, and read exactly (${split})`, () => {
    const { scenes, images } = captionedBatch(randomBelow(2 ** 31), range(COUNT), split);
    const right = share(COUNT, (i) => {
      const verdict = checkCaptioned(images.data.subarray(i * NUMBERS, (i + 1) * NUMBERS), whole(scenes[i]!));
      for (const { pose, shade } of verdict.right ? verdict.found.things : []) {
        const gap = (thing: CaptionedScene['things'][number]) =>
          Math.hypot(thing.pose.x - pose.x, thing.pose.y - pose.y) + Math.abs(thing.pose.reach - pose.reach);
        const drawn = scenes[i]!.things.toSorted((a, b) => gap(a) - gap(b))[0]!;
        const clipped = drawn.shade.map((value) => Math.min(1, Math.max(-1, value))) as [number, number, number];
        assert.ok(gap(drawn) < 0.5, `${drawn.shape} off by ${gap(drawn)} pixels`);
        assert.ok(colourDistance(clipped, shade) < 0.05, `${drawn.colour} read as ${shade}`);
      }
      return verdict;
    });
    assert.ok(right >= 0.99, `${right} right`);
  });
}

test('what a caption leaves out is right with any', () => {
  const { wanted, images } = captionedBatch(randomBelow(2 ** 31), range(COUNT));
  const right = share(COUNT, (i) => checkCaptioned(images.data.subarray(i * NUMBERS, (i + 1) * NUMBERS), wanted[i]!));
  assert.ok(right >= 0.99, `${right} right`);
});

test('at least 97 % are right when blurred and noisy as a small autoencoder leaves them', () => {
  const seed = randomBelow(2 ** 31);
  const generator = new TorchGenerator(seed);
  const right = share(COUNT, (index) => {
    const scene = captionedScene(seed, index);
    return checkCaptioned(noisy(blurred(paint(scene), 0.7), 0.03, generator), whole(scene));
  });
  assert.ok(right >= 0.97, `${right} right`);
});

/** Ways to be wrong: from a scene an image and what was wanted instead, for scenes of one or of two shapes, or both. */
const mistakes: Record<string, { of?: 1 | 2; make: (scene: CaptionedScene) => [Float32Array, Wanted] }> = {
  'another colour': { make: (scene) => swapped(scene, (thing) => ({ colour: other(colourNames, thing.colour) })) },
  'another shape': { make: (scene) => swapped(scene, (thing) => ({ shape: other(shapeNames, thing.shape) })) },
  'another place': { make: (scene) => swapped(scene, (thing) => ({ place: other(placeNames, thing.place) })) },
  'another size': {
    make: (scene) => swapped(scene, ({ size }) => ({ size: size === 'small' ? 'large' : 'small' })),
  },
  'another ground': {
    make: (scene) => [paint(scene), { ...whole(scene), ground: other(colourNames, scene.ground) }],
  },
  'a shape missing': {
    of: 2,
    make: (scene) => [paint({ ...scene, things: scene.things.slice(randomBelow(2)).slice(0, 1) }), whole(scene)],
  },
  'an extra shape': {
    of: 2,
    make: (scene) => [paint(scene), { ...whole(scene), things: whole(scene).things.slice(randomBelow(2)).slice(0, 1) }],
  },
  // Right colours, right shapes, wrongly put together.
  'exchanged colours': {
    of: 2,
    make: (scene) => {
      const [one, two] = whole(scene).things as [Thing, Thing];
      const things = [
        { ...one, colour: two.colour === one.colour ? other(colourNames, one.colour) : two.colour },
        { ...two, colour: one.colour },
      ];
      return [paint(scene), { ...whole(scene), things }];
    },
  },
  blank: { make: (scene) => [paint({ ...scene, things: [] }), whole(scene)] },
  noise: {
    make: (scene) => [noisy(new Float32Array(NUMBERS), 0.5, new TorchGenerator(randomBelow(2 ** 31))), whole(scene)],
  },
  'a scene in noise': {
    make: (scene) => [noisy(paint(scene), 0.5, new TorchGenerator(randomBelow(2 ** 31))), whole(scene)],
  },
  'melted shapes': { make: (scene) => [blurred(paint(scene), 6), whole(scene)] },
};

function swapped(scene: CaptionedScene, change: (thing: Thing) => Partial<Thing>): [Float32Array, Wanted] {
  const { things, ground } = whole(scene);
  const which = randomBelow(things.length);
  const wanted = things.map((thing, i) => (i === which ? { ...thing, ...change(thing as Thing) } : thing));
  return [paint(scene), { things: wanted, ground }];
}

for (const [name, { of, make }] of Object.entries(mistakes)) {
  test(`at least 97 % are refused: ${name}`, (t) => {
    const seed = randomBelow(2 ** 31);
    const scenes = range(4 * MISTAKES)
      .map((index) => captionedScene(seed, index))
      .filter(({ things }) => of === undefined || things.length === of)
      .slice(0, MISTAKES);
    assert.equal(scenes.length, MISTAKES);
    const accepted = share(MISTAKES, (i) => checkCaptioned(...make(scenes[i]!)));
    t.diagnostic(`${(100 * (1 - accepted)).toFixed(2)} % of ${MISTAKES} refused`);
    assert.ok(accepted <= 0.03, `${accepted} accepted`);
  });
}

test('a verdict says which kind of attribute is wrong', () => {
  const scene = range(100)
    .map((index) => captionedScene(3, index))
    .find(({ things }) => things.length === 2 && things[0]!.shape !== things[1]!.shape)!;
  const image = paint(scene);
  const { things, ground } = whole(scene);
  const [one, two] = things as [Thing, Thing];
  const kinds = (wanted: Wanted) => {
    const { right, colours, shapes, places, sizes } = checkCaptioned(image, wanted);
    return { right, colours, shapes, places, sizes };
  };
  const fine = { right: true, colours: true, shapes: true, places: true, sizes: true };
  assert.deepEqual(kinds({ things: [two, one], ground }), fine);
  const wrong = { ...fine, right: false };
  const colour = colourNames.find((name) => ![one.colour, two.colour, ground].includes(name))!;
  assert.deepEqual(kinds({ things: [{ ...one, colour }, two], ground }), { ...wrong, colours: false });
  assert.deepEqual(kinds({ things, ground: colour }), { ...wrong, colours: false });
  const shape = shapeNames.find((name) => ![one.shape, two.shape].includes(name))!;
  assert.deepEqual(kinds({ things: [{ ...one, shape }, two], ground }), { ...wrong, shapes: false });
  const place = placeNames.find((name) => ![one.place, two.place].includes(name))!;
  assert.deepEqual(kinds({ things: [one, { ...two, place }], ground }), { ...wrong, places: false });
  assert.deepEqual(kinds({ things: [one], ground }), { ...wrong, shapes: false });
  assert.deepEqual(
    kinds({ things: [one, { shape: null, colour: null, size: null, place: null }], ground: null }),
    fine,
  );
});

test('what is no scene is told from one, with a reason', () => {
  assert.match(readScene(new Float32Array(NUMBERS)).reason!, /nothing stands out/);
  assert.match(readScene(new Float32Array(NUMBERS).fill(Number.NaN)).reason!, /not finite/);
  assert.match(readScene(new TorchGenerator(1).randn(NUMBERS)).reason!, /noise/);
  assert.throws(() => readScene(new Float32Array(5)), /not 3 x 64 x 64/);
  const scene = captionedScene(3, 0);
  const specked = paint(scene);
  for (const i of range(PIXELS)) {
    if (i % 16 === 0 && Math.floor(i / captionedSize) % 5 === 0)
      for (const c of range(3)) specked[i + c * PIXELS]! *= -1;
  }
  assert.match(readScene(specked).reason!, /specks|noise/);
});
