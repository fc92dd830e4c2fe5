import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  colourDistance,
  groundAt,
  renderScene,
  sceneBatch,
  sceneBounds,
  sceneParameters,
} from '../../backend/data/scenes/scene.ts';
import { sceneDataset } from '../../backend/data/scenes/scene-dataset.ts';
import { coverage, shapes } from '../../backend/data/scenes/shapes.ts';

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

test('a scene is a pure function of seed and index', () => {
  const one = sceneBatch(5, [7]).images.data;
  const among = sceneBatch(5, [3, 9, 7, 7]).images.data;
  const numbers = 3 * 32 * 32;
  assert.deepEqual(among.slice(2 * numbers, 3 * numbers), one);
  assert.deepEqual(among.slice(3 * numbers), one);
  assert.notDeepEqual(sceneBatch(6, [7]).images.data, one);
  assert.notDeepEqual(sceneBatch(5, [8]).images.data, one);
});

test('the numbers of a scene never change between versions', () => {
  // A data set is named by its seed alone: other numbers under the same seed would be another data set.
  const scene = sceneParameters(1, 0);
  const digest = renderScene(scene).data.reduce((sum, value, i) => sum + value * Math.sin(i), 0);
  assert.equal(shapes[scene.shape]!.name, 'ring');
  assert.ok(Math.abs(digest + 3.7866438759097187) < 1e-3, `digest ${digest}`);
});

test('parameters keep their bounds, cover their ranges and every class', () => {
  const counts = new Array<number>(shapes.length).fill(0);
  const scenes = range(2000).map((i) => sceneParameters(21, i));
  for (const scene of scenes) {
    counts[scene.shape]!++;
    const edge = scene.reach + sceneBounds.margin - 1e-9;
    for (const place of [scene.x, scene.y]) assert.ok(place >= edge && place <= 1 - edge, `centre ${place}`);
    const below = groundAt(scene, scene.x, scene.y);
    assert.ok(colourDistance(scene.shapeColour, below) >= sceneBounds.contrast);
  }
  assert.ok(Math.min(...counts) > 140 && Math.max(...counts) < 260, `class counts ${counts}`);
  const reaches = scenes.map(({ reach }) => reach);
  assert.ok(Math.min(...reaches) < 0.255 && Math.max(...reaches) > 0.385);
  assert.equal(new Set(reaches).size > 1990, true);
});

test('pixels stay in [-1, 1], about zero mean and standard deviation near a half', () => {
  const { data, shape } = sceneBatch(4, range(1000)).images;
  assert.deepEqual(shape, [1000, 3, 32, 32]);
  let sum = 0;
  let squares = 0;
  for (const value of data) {
    assert.ok(Math.abs(value) <= 1, `pixel ${value}`);
    sum += value;
    squares += value * value;
  }
  const mean = sum / data.length;
  const deviation = Math.sqrt(squares / data.length - mean * mean);
  assert.ok(Math.abs(mean) < 0.03, `mean ${mean}`);
  assert.ok(deviation > 0.42 && deviation < 0.55, `standard deviation ${deviation}`);
});

test('coverage is centred, has the area the shape declares and is anti-aliased', () => {
  for (const shape of shapes) {
    const size = 97;
    const pose = { x: 44.3, y: 50.9, reach: 33, rotation: 0.7 };
    const cover = coverage(shape, pose, size, new Float32Array(size * size).fill(Number.NaN));
    let area = 0;
    let x = 0;
    let y = 0;
    let partial = 0;
    for (const [i, value] of cover.entries()) {
      area += value;
      x += value * ((i % size) + 0.5);
      y += value * (Math.floor(i / size) + 0.5);
      if (value > 0.01 && value < 0.99) partial++;
    }
    assert.ok(Math.abs(area / 33 ** 2 - shape.area) < 0.02 * shape.area, `${shape.name}: area ${area / 33 ** 2}`);
    assert.ok(Math.abs(x / area - pose.x) < 0.2 && Math.abs(y / area - pose.y) < 0.2, `${shape.name}: off centre`);
    assert.ok(partial > 100, `${shape.name}: ${partial} partly covered pixels`);
  }
});

test('a shape repeats after its period and not before', () => {
  const size = 48;
  const draw = (shape: (typeof shapes)[number], rotation: number) =>
    coverage(shape, { x: 24, y: 24, reach: 18, rotation }, size, new Float32Array(size * size));
  const gap = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0);
  for (const shape of shapes) {
    const start = draw(shape, 0.3);
    assert.ok(gap(start, draw(shape, 0.3 + (shape.period || 1))) < 3, `${shape.name}: period`);
    if (shape.period === 0) continue;
    for (const part of [2, 3]) {
      assert.ok(gap(start, draw(shape, 0.3 + shape.period / part)) > 20, `${shape.name}: repeats too early`);
    }
  }
});

test('the same scene at twice the size averages down to itself', () => {
  const scene = sceneParameters(8, 3);
  const small = renderScene(scene, 32).data;
  const large = renderScene(scene, 64).data;
  let total = 0;
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < 32; y++) {
      for (let x = 0; x < 32; x++) {
        const at = (dy: number, dx: number) => large[(c * 64 + 2 * y + dy) * 64 + 2 * x + dx]!;
        total += Math.abs((at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4 - small[(c * 32 + y) * 32 + x]!);
      }
    }
  }
  assert.ok(total / small.length < 0.01, `mean difference ${total / small.length}`);
});

test('scenes as a data set: one-hot classes, or none, and no index out of range', async () => {
  const labelled = sceneDataset({ seed: 5, count: 100, size: 16 });
  const { images, labels } = await labelled.batch([99, 2, 2]);
  const expected = sceneBatch(5, [99, 2, 2], 16);
  assert.deepEqual(images, expected.images);
  assert.deepEqual(labels.shape, [3, 10]);
  for (const [i, id] of expected.classes.entries()) {
    assert.deepEqual(
      [...labels.data.slice(10 * i, 10 * i + 10)],
      range(10).map((k) => Number(k === id)),
    );
  }
  const plain = sceneDataset({ seed: 5, count: 100, labelled: false });
  assert.deepEqual((await plain.batch([1])).labels.shape, [1, 0]);
  assert.equal(plain.labelDim, 0);
  await assert.rejects(labelled.batch([100]), /index 100 of 100/);
});
