/** What the engine over the C API promises beyond the contract: memory that goes around, handles that are released, JavaScript that is never held up. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type DeviceTensor, RunEnded } from '../../backend/engine/engine.ts';
import { createCApiEngine } from '../../backend/engine/onnxruntime/c-api/engine.ts';
import { Library, tableVersion } from '../../backend/engine/onnxruntime/c-api/library.ts';
import { openCApi } from '../../backend/engine/onnxruntime/c-api/open.ts';
import { createOnnxRuntimeEngine, type Way, wayInWords } from '../../backend/engine/onnxruntime/engine.ts';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph, type Tensor } from '../../backend/graph/graph.ts';
import { floatsToHalves } from '../../backend/graph/half.ts';
import * as ops from '../../backend/graph/ops/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { longGraph, ones } from './engine-c-api/long-graph.ts';
import { draw } from './engine-contract/contract.ts';

const open = (way: Way = 'c-api') => createOnnxRuntimeEngine({ device: 'cpu', threads: 1, way });
const engine = open();
after(() => engine.dispose());

function surroundings() {
  const found = openCApi();
  assert.ok('around' in found, 'reason' in found ? found.reason : '');
  return found.around;
}

/** y = x + 1, as a state that moves. */
function stateGraph(count: number): Graph {
  const graph = new Graph();
  graph.output('y', ops.add(graph.input('x', [count]), 1));
  return graph;
}

const loader = ['--import', fileURLToPath(new URL('../sources.mjs', import.meta.url))];

async function values(tensor: DeviceTensor): Promise<number[]> {
  return Array.from(await tensor.read());
}

test('every handle is released, whatever a run comes to', async () => {
  const { library } = surroundings();
  const own = open();
  const before = library.alive;
  const program = await own.compile(stateGraph(5), { name: 'state' });
  assert.equal(library.alive.session, (before.session ?? 0) + 1);
  for (let turn = 0; turn < 3; turn++) (await program.run({ x: draw(5) })).y!.dispose();
  await assert.rejects(program.run({ x: draw(4) }), /program 'state': input 'x' is \[4\] where \[5\] is declared/);
  await assert.rejects(program.run({}), /program 'state' needs input 'x' \[5\]/);
  const kept = (await program.run({ x: draw(5) })).y!;
  assert.deepEqual(library.alive, { ...before, session: (before.session ?? 0) + 1 }, 'tensors are no handles');
  assert.throws(() => library.call('addSessionConfigEntry', library.create('runOptions', 'createRunOptions'), '', ''));
  await own.dispose();
  assert.equal((await kept.read()).length, 5, 'a result outlives its engine');
});

test('an engine that is disposed of gives up what it compiles, and what waits to be compiled', async () => {
  const { library } = surroundings();
  const before = library.alive;
  const own = open();
  // Planning these takes a second or more.
  const compiling = [own.compile(longGraph(6000), { name: 'long' }), own.compile(stateGraph(5), { name: 'next' })];
  const ended = compiling.map((each) => assert.rejects(each, RunEnded));
  while (!library.busy) await delay(5);
  await delay(30);
  await own.dispose();
  await Promise.all(ended);
  assert.deepEqual(library.alive, before);
  const again = await own.compile(stateGraph(5), { name: 'again' });
  assert.equal((await (await again.run({ x: draw(5) })).y!.read()).length, 5);
  await own.dispose();
});

test('with two threads two programs are opened side by side, and both are given up', async () => {
  const { library } = surroundings();
  const before = library.alive;
  const own = createOnnxRuntimeEngine({ device: 'cpu', threads: 2, way: 'c-api' });
  const compiling = ['one', 'other', 'third'].map((name) => own.compile(longGraph(6000), { name }));
  const ended = compiling.map((each) => assert.rejects(each, RunEnded));
  const opened = () => (library.alive.sessionOptions ?? 0) - (before.sessionOptions ?? 0);
  while (opened() < 2) await delay(5);
  await delay(30);
  assert.equal(opened(), 2, 'the third waits its turn');
  await own.dispose();
  await Promise.all(ended);
  assert.deepEqual(library.alive, before);
});

test('a model that the runtime refuses leaves nothing behind', async () => {
  const { library } = surroundings();
  const before = library.alive;
  const broken = { name: 'add', infer: () => [[9]] };
  const graph = new Graph();
  graph.output('y', graph.apply(broken, [graph.input('x', [2]), graph.input('z', [3])], {})[0]!);
  await assert.rejects(engine.compile(graph, { name: 'broken' }), (error) => {
    assert.ok(error instanceof UserError && error.kind === 'device');
    assert.match(error.message, /^cpu \(1 threads\) cannot run 'broken': .*dimension/is);
    return true;
  });
  assert.deepEqual(library.alive, before);
});

test('a state moves between two sets of memory, and nothing is allocated', async () => {
  const count = 2 ** 20;
  const program = await engine.compile(stateGraph(count));
  let state = engine.upload({ shape: [count], data: new Float32Array(count) });
  const held = () => process.memoryUsage().arrayBuffers / (4 * count);
  let start = 0;
  for (let turn = 0; turn < 12; turn++) {
    const { y } = await program.run({ x: state });
    state.dispose();
    state = y!;
    // What was uploaded stays until it is collected.
    if (turn === 2) start = held();
  }
  assert.ok(held() < start + 0.5, `${held() - start} sets more`);
  assert.deepEqual((await state.read()).subarray(count - 2), Float32Array.of(12, 12));
  await program.dispose();
});

test('where the result of one program lay is where the next one writes, of the same size, and what is received lies', async () => {
  const own = open();
  const count = 2 ** 20;
  const held = () => process.memoryUsage().arrayBuffers / (4 * count);
  const programs = await Promise.all([1, 2, 3, 4].map(() => own.compile(stateGraph(count))));
  const zeros = new Float32Array(count);
  async function* slices() {
    yield zeros;
  }
  const start = held();
  for (let turn = 0; turn < 12; turn++) {
    const x = await own.receive([count], slices());
    const { y } = await programs[turn % programs.length]!.run({ x });
    y!.dispose();
    x.dispose();
  }
  assert.ok(held() < start + 2.5, `${held() - start} arrays in place of two`);
  await own.dispose();
});

test('programs compute in one memory, and need no more the second time', async () => {
  const own = open();
  const count = 2 ** 24;
  const grown: number[] = [];
  for (let i = 0; i < 3; i++) {
    const graph = new Graph();
    const wide = ops.broadcastTo(graph.input('x', [1]), [count]);
    graph.output('y', ops.sum(ops.add(ops.exp(wide), wide)));
    const program = await own.compile(graph);
    for (let run = 0; run < 2; run++) {
      const before = process.memoryUsage.rss();
      (await program.run({ x: draw(1) })).y!.dispose();
      grown.push(process.memoryUsage.rss() - before);
    }
  }
  const [first, ...later] = grown;
  assert.ok(first! > 4 * count, `${first} bytes for two arrays of ${4 * count}`);
  for (const bytes of later) assert.ok(bytes < 2 * count, `${grown}`);
  await own.dispose();
});

test('where there are gradients, a value that is used up leaves its memory to all, not to the next one of its shape', async () => {
  const own = createCApiEngine(surroundings(), 1);
  const numbers = 2 ** 22;
  /** Four arrays alive at one time, and a number of them. */
  const stage = (x: Tensor, shape: readonly number[]) => {
    const first = ops.reshape(ops.broadcastTo(x, [numbers]), shape);
    const all = [first, ops.sin(first), ops.cos(first), ops.tanh(first)];
    return ops.reshape(ops.mean(all.reduce((sum, each) => ops.add(ops.square(sum), each))), [1]);
  };
  const grownBy = async (...shapes: number[][]) => {
    const graph = new Graph();
    const x = graph.input('x', [1]);
    graph.output('dx', gradients(ops.sum(x), [x])[0]!);
    graph.output('y', shapes.reduce(stage, x));
    const program = await own.compile(graph);
    const before = process.memoryUsage.rss();
    await program.run({ x: draw(1) });
    return process.memoryUsage.rss() - before;
  };
  const one = await grownBy([2, numbers / 2]);
  assert.ok(one > 8 * numbers, `${one} bytes`);
  const more = await grownBy([2, numbers / 2], [4, numbers / 4], [8, numbers / 8], [2, numbers / 2]);
  assert.ok(more < 4 * numbers, `${one} bytes for one shape, ${more} more for three`);
  await own.dispose();
});

test('numbers that somebody has seen are never written over', async () => {
  const program = await engine.compile(stateGraph(3));
  const seen: Float32Array[] = [];
  let state = engine.upload({ shape: [3], data: Float32Array.of(0, 10, 20) });
  for (let turn = 0; turn < 6; turn++) {
    const { y } = await program.run({ x: state });
    if (turn % 2 === 0) seen.push(await state.read());
    else for await (const slice of state.slices(3)) seen.push(slice);
    state.dispose();
    state = y!;
  }
  assert.deepEqual(
    seen.map(([first]) => first),
    [0, 1, 2, 3, 4, 5],
  );
});

test('JavaScript goes on while a program runs, and runs take turns', async () => {
  const program = await engine.compile(longGraph(60));
  let [turns, done] = [0, false];
  const two = Promise.all([program.run({ x: ones() }), program.run({ x: draw(512, 512) })]).finally(() => {
    done = true;
  });
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  assert.ok(turns > 20, `${turns} turns of the event loop`);
  const [first, second] = await two;
  assert.ok((await values(first.y!)).every((value) => Math.abs(value - 1) < 1e-3));
  assert.notDeepEqual(await values(second.y!), await values(first.y!));
  await program.dispose();
});

test('a run is ended in the middle by its signal, and the next one is whole', async () => {
  const { library } = surroundings();
  const program = await engine.compile(longGraph(400), { name: 'long' });
  const before = library.alive;
  const control = new AbortController();
  const ended = program.run({ x: ones() }, { signal: control.signal });
  setTimeout(() => control.abort(), 20);
  await assert.rejects(ended, (error) => error instanceof RunEnded && /'long' was ended/.test(error.message));
  await assert.rejects(program.run({ x: ones() }, { signal: control.signal }), RunEnded, 'not begun');
  assert.deepEqual(library.alive, before);
  await program.dispose();
  const short = await engine.compile(longGraph(2));
  const { y } = await short.run({ x: ones() }, { signal: new AbortController().signal });
  assert.ok((await values(y!)).every((value) => Math.abs(value - 1) < 1e-4));
});

test('feeds may be disposed, and host arrays changed after their copy, while the run goes on', async () => {
  const program = await engine.compile(longGraph(40));
  const feed = engine.upload(ones());
  const host = ones();
  const running = [program.run({ x: feed }), program.run({ x: host })];
  await new Promise((resolve) => setTimeout(resolve, 2));
  feed.dispose();
  const [first, second] = await Promise.all(running);
  host.data.fill(Number.NaN);
  for (const { y } of [first!, second!]) assert.ok((await values(y!)).every((value) => Math.abs(value - 1) < 1e-3));
  await program.dispose();
});

test('an engine that is disposed ends the run under way and refuses those that wait', async () => {
  const own = open();
  const { library } = surroundings();
  const program = await own.compile(longGraph(400), { name: 'long' });
  const runs = [program.run({ x: ones() }), program.run({ x: ones() })];
  const refused = runs.map((run) => assert.rejects(run, /program 'long' was disposed/));
  await new Promise((resolve) => setTimeout(resolve, 20));
  await own.dispose();
  await Promise.all(refused);
  const { session = 0, value = 0 } = library.alive;
  const others = session;
  await (await own.compile(stateGraph(2))).dispose();
  assert.deepEqual([library.alive.session ?? 0, value], [others, 0]);
});

test('numbers that were handed to another thread are an error, not a crash', async () => {
  const program = await engine.compile(stateGraph(4));
  const tensor = await engine.receive(
    [4],
    (async function* () {
      yield Float32Array.of(1, 2, 3, 4);
    })(),
  );
  const { buffer } = await tensor.read();
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  await assert.rejects(program.run({ x: tensor }), /handed to another thread/);
  await assert.rejects(tensor.read(), /handed to another thread/);
  tensor.dispose();
});

/** A convolution, normalisation and attention with their gradients, and a frozen half. */
function trainingGraph(): Graph {
  const graph = new Graph();
  const x = graph.input('x', [3, 32, 9, 7]);
  const w = graph.input('w', [32, 32, 3, 3]);
  const frozen = ops.widen(graph.input('frozen', [32], 'float16'));
  const y = ops.silu(ops.conv2d(ops.groupNorm(x, frozen, frozen, 4, 1e-5), w, null, { padding: 1 }));
  const flat = ops.reshape(y, [3, 32, 63]);
  const loss = ops.mean(ops.square(ops.attention(flat, flat, flat)));
  graph.output('loss', loss);
  for (const [i, gradient] of gradients(loss, [x, w]).entries()) graph.output(`g${i}`, gradient);
  return graph;
}

const ending = fileURLToPath(new URL('engine-c-api/ending.ts', import.meta.url));

const endings = [
  ['running', 'thread exits'],
  ['running', 'thread is terminated'],
  ['running', 'process ends'],
  ['running', 'process exits'],
  ['compiling', 'thread exits'],
  ['compiling', 'process exits'],
] as const;

for (const [when, how] of endings) {
  test(`while a program ${when === 'running' ? 'runs' : 'is compiled'}, the ${how}, and all is left in order`, () => {
    const args = [...loader, ending, when, how];
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.deepEqual([status, signal, stdout], [0, null, 'under way\nleft\n'], stderr);
  });
}

test('both ways into the runtime give the same bits', async () => {
  const feeds = { x: draw(3, 32, 9, 7), w: draw(32, 32, 3, 3) };
  const halves = floatsToHalves(draw(32).data);
  const results: number[][][] = [];
  for (const way of ['c-api', 'node'] as const) {
    const own = open(way);
    const program = await own.compile(trainingGraph());
    const made = await program.run({ ...feeds, frozen: own.upload({ shape: [32], halves }) });
    results.push(await Promise.all(Object.values(made).map(values)));
    await own.dispose();
  }
  assert.ok(results[0]!.flat().some((value) => value !== 0));
  assert.deepEqual(results[0], results[1]);
});

test('what cannot be opened says why', () => {
  assert.throws(() => new Library('/nowhere/libonnxruntime.so.1'), /nowhere\/libonnxruntime.so.1/);
  assert.throws(() => new Library(undefined, '1.29.0'), /the library is version 1\.30\.0, and 1\.29\.0 is known/);
  const { dependencies } = JSON.parse(
    readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8'),
  );
  assert.equal(tableVersion, dependencies['onnxruntime-node'], 'look the places of the functions up again');
});

test('a variable chooses the way, and the words for it say why', (t) => {
  const before = process.env.DMD_ONNX_RUNTIME;
  t.after(() => {
    if (before === undefined) delete process.env.DMD_ONNX_RUNTIME;
    else process.env.DMD_ONNX_RUNTIME = before;
  });
  const worded = (name: string) => {
    process.env.DMD_ONNX_RUNTIME = name;
    return wayInWords('cpu');
  };
  assert.equal(worded('node'), 'onnxruntime-node, because it was asked for');
  assert.equal(worded('c-api'), "ONNX Runtime's C API");
  assert.equal(
    worded(''),
    process.platform === 'linux'
      ? "ONNX Runtime's C API"
      : worded('node').replace(/it was.*/, `the C API was not tried on ${process.platform}`),
  );
  assert.throws(
    () => worded('c'),
    (error) => error instanceof UserError && error.kind === 'usage' && /c-api or node/.test(error.hint),
  );
  assert.equal(wayInWords('webgpu'), 'onnxruntime-node');
});
