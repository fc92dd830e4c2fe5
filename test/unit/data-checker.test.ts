import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedFor, checkScene, checkScenes } from '../../backend/data/scenes/checker.ts';
import { colourDistance, groundAt, renderScene, sceneBatch, sceneParameters } from '../../backend/data/scenes/scene.ts';
import { coverage, shapes } from '../../backend/data/scenes/shapes.ts';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';
import { randomBelow } from '../random.ts';

const SIZE = 32;
const PIXELS = SIZE * SIZE;
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/** Gaussian blur, edges repeated. */
function blurred(image: Float32Array, sigma: number): Float32Array {
  const radius = Math.ceil(3 * sigma);
  const kernel = range(2 * radius + 1).map((i) => Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)));
  const total = kernel.reduce((a, b) => a + b);
  const clamp = (v: number) => Math.min(SIZE - 1, Math.max(0, v));
  const pass = (from: Float32Array, dx: number, dy: number) =>
    from.map((_, i) => {
      const plane = Math.floor(i / PIXELS) * PIXELS;
      const [x, y] = [i % SIZE, Math.floor((i % PIXELS) / SIZE)];
      const at = (k: number) => from[plane + clamp(y + dy * (k - radius)) * SIZE + clamp(x + dx * (k - radius))]!;
      return kernel.reduce((sum, weight, k) => sum + weight * at(k), 0) / total;
    });
  return pass(pass(image, 1, 0), 0, 1);
}

function noisy(image: Float32Array, deviation: number, seed: number): Float32Array {
  const noise = new TorchGenerator(seed).randn(image.length);
  return image.map((value, i) => value + deviation * noise[i]!);
}

test('at least 99 % of true renders of a fresh seed are accepted for their class, colours and place read back', () => {
  const seed = randomBelow(2 ** 31);
  const { images, classes, parameters } = sceneBatch(seed, range(200));
  let right = 0;
  for (const [i, verdict] of checkScenes(images).entries()) {
    if (!verdict.accepted || verdict.shape !== classes[i]) continue;
    right++;
    const scene = parameters[i]!;
    const where = `scene ${i} of seed ${seed}`;
    assert.ok(colourDistance(verdict.shapeColour!, scene.shapeColour) < 0.03, `${where}: shape colour`);
    assert.ok(colourDistance(verdict.groundColour!, groundAt(scene, scene.x, scene.y)) < 0.02, `${where}: ground`);
    const { x, y, reach } = verdict.pose!;
    const off = Math.hypot(x - SIZE * scene.x, y - SIZE * scene.y, reach - SIZE * scene.reach);
    assert.ok(off < 0.3, `${where}: place off by ${off} pixels`);
  }
  assert.ok(right >= 198, `${right} of 200 right (seed ${seed})`);
});

test('rounding to bytes, slight noise and slight blur do not matter', () => {
  const seed = randomBelow(2 ** 31);
  const { images, classes } = sceneBatch(seed, range(40));
  const soften: Record<string, (image: Float32Array, i: number) => Float32Array> = {
    bytes: (image) => image.map((x) => Math.floor(x * 127.5 + 128) / 127.5 - 1),
    noise: (image, i) => noisy(image, 0.05, i),
    'blur and noise': (image, i) => noisy(blurred(image, 0.4), 0.03, i),
  };
  for (const [name, change] of Object.entries(soften)) {
    const wrong = range(40).filter((i) => {
      const image = change(images.data.slice(3 * PIXELS * i, 3 * PIXELS * (i + 1)), i);
      return !acceptedFor(image, classes[i]!);
    });
    assert.ok(wrong.length <= 1, `${name}: scenes ${wrong} of seed ${seed} refused`);
  }
});

test('an image is accepted for no class but its own', () => {
  for (const i of range(6)) {
    const scene = sceneParameters(31, i);
    const image = renderScene(scene);
    const accepted = range(shapes.length).filter((id) => acceptedFor(image, id));
    assert.deepEqual(accepted, [scene.shape]);
  }
});

/** Two scenes' shapes, in one colour or two; undefined when one hides the other or fills a ring to an honest disc. */
function melted(seed: number, i: number, oneColour: boolean): Float32Array | undefined {
  const scene = sceneParameters(seed, i);
  const other = sceneParameters(seed + 1, i);
  if ([scene, other].some(({ shape }) => shapes[shape]!.name === 'ring')) return undefined;
  const cover = ({ shape, x, y, reach, rotation }: typeof scene) =>
    coverage(
      shapes[shape]!,
      { x: SIZE * x, y: SIZE * y, reach: SIZE * reach, rotation },
      SIZE,
      new Float32Array(PIXELS),
    );
  const [mine, its] = [cover(scene), cover(other)];
  const alone = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, k) => sum + Math.max(0, v - b[k]!), 0);
  if (alone(mine, its) < 30 || alone(its, mine) < 30) return undefined;
  const colour = oneColour ? scene.shapeColour : other.shapeColour;
  return renderScene(scene).data.map((v, k) => v + its[k % PIXELS]! * (colour[Math.floor(k / PIXELS)]! - v));
}

/** A pentagon: near to several classes, but none of them. */
function pentagon(i: number): Float32Array {
  const scene = sceneParameters(80, i);
  const ground = renderScene({ ...scene, shapeColour: scene.groundColour, gradient: [0, 0, 0] }).data;
  return ground.map((value, k) => {
    const dx = (k % SIZE) + 0.5 - SIZE * scene.x;
    const dy = Math.floor((k % PIXELS) / SIZE) + 0.5 - SIZE * scene.y;
    const turn = ((Math.atan2(dy, dx) - scene.rotation) * 5) / (2 * Math.PI);
    const across = Math.hypot(dx, dy) * Math.cos(((turn - Math.round(turn)) * 2 * Math.PI) / 5);
    const cover = Math.min(1, Math.max(0, SIZE * scene.reach * Math.cos(Math.PI / 5) - across + 0.5));
    return value + cover * (scene.shapeColour[Math.floor(k / PIXELS)]! - value);
  });
}

const garbage: Record<string, (i: number) => Float32Array | undefined> = {
  noise: (i) => new TorchGenerator(i).randn(3 * PIXELS).map((v) => v / 2),
  'smooth noise': (i) => blurred(new TorchGenerator(i).randn(3 * PIXELS), 3).map((v) => 5 * v),
  'a blank': (i) => renderScene({ ...sceneParameters(1, i), shapeColour: [0, 0, 0], groundColour: [0, 0, 0] }).data,
  zeros: () => new Float32Array(3 * PIXELS),
  'two melted shapes': (i) => melted(40, i, true),
  'two shapes of two colours': (i) => melted(60, i, false),
  'the mean of two scenes': (i) => {
    const [a, b] = [renderScene(sceneParameters(2, i)).data, renderScene(sceneParameters(3, i)).data];
    return a.map((v, k) => (v + b[k]!) / 2);
  },
  'a blurred blob': (i) => blurred(renderScene(sceneParameters(4, i)).data, 2.5),
  'a pentagon': pentagon,
  'a noisy scene': (i) => noisy(renderScene(sceneParameters(5, i)).data, 0.2, i),
  'a scene with a NaN': (i) => renderScene(sceneParameters(5, i)).data.map((v, k) => (k === 5 ? Number.NaN : v)),
};

for (const [name, make] of Object.entries(garbage)) {
  test(`${name} is refused, with a reason`, () => {
    const images = range(20)
      .map(make)
      .filter((image) => image !== undefined);
    assert.ok(images.length >= 8, 'enough images');
    const verdicts = images.map((image) => checkScene(image));
    const accepted = verdicts.filter((verdict) => verdict.accepted).length;
    assert.ok(accepted <= 1, `${accepted} of ${images.length} accepted`);
    for (const verdict of verdicts) assert.equal(verdict.reason === undefined, verdict.accepted);
  });
}

test('other sizes work and a wrong number of pixels is refused', () => {
  const scene = sceneParameters(12, 5);
  const verdict = checkScene(renderScene(scene, 48), 48);
  assert.ok(verdict.accepted && verdict.shape === scene.shape, verdict.reason);
  assert.throws(() => checkScene(new Float32Array(10)), /10 numbers are not 3 x 32 x 32/);
});
