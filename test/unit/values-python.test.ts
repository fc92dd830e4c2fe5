/** Arrays of a Python program that the real debugpy has stopped. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { UserError } from '../../backend/protocol/errors.ts';
import { type ArrayValue, type Cut, statistic, statisticNames } from '../../backend/protocol/values/value.ts';
import { readValue } from '../../extension/values/read.ts';
import { noPython, PythonProgram, python, pythonWith, type Stopped } from './values/debugpy.ts';
import { type Expected, expectedStatistics, oddNumbers, pythonArray } from './values/numbers.ts';

const skip = noPython;
const standIn = readFileSync(new URL('./values/torch_standin.py', import.meta.url), 'utf8');

const shape = [2, 3, 5, 7] as const;
const cut: Cut = { at: [1, null, null, null], step: [1, 1, 2, 3], order: [1, 2, 3] };
const whole = (axes: number): Cut => ({
  at: new Array(axes).fill(null),
  step: new Array(axes).fill(1),
  order: Array.from({ length: axes }, (_, axis) => axis),
});

function ask(stopped: Stopped, expression: string, { shown = null as Cut | null, as = null as number[] | null } = {}) {
  return readValue(stopped, { expression, shape: as, count: true, cut: shown });
}

/** What the cut above shows of [2, 3, 5, 7]. */
function cutBy(numbers: ArrayLike<number>): number[] {
  const seen: number[] = [];
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < 5; y += 2) for (let x = 0; x < 7; x += 3) seen.push(numbers[((3 + c) * 5 + y) * 7 + x]!);
  return seen;
}

function assertStatistics(value: ArrayValue, expected: Expected): void {
  for (const name of statisticNames) {
    const found = statistic(value, name);
    const tolerance = ['mean', 'std'].includes(name) ? 1e-9 : 0;
    assert.ok(Math.abs(found - expected[name]) <= tolerance, `${name} is ${found}, not ${expected[name]}`);
  }
}

async function assertRefused(stopped: Stopped, expression: string, words: RegExp): Promise<void> {
  const start = performance.now();
  await assert.rejects(ask(stopped, expression), (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, words, expression);
    return true;
  });
  assert.ok(performance.now() - start < 15_000, `${expression} took too long to be refused`);
}

/** What must not change in the program, as it says itself. */
async function stateOf(stopped: Stopped, more: readonly string[] = []): Promise<unknown[]> {
  const looks = ['sorted(locals())', 'sorted(globals())', 'random.getstate()', 'numpy.random.get_state()', ...more];
  const answers: unknown[] = [];
  for (const look of looks) {
    const expression = `str(hash(repr(${look})))`;
    const { frameId } = stopped;
    answers.push(await stopped.request('evaluate', { expression, frameId, context: 'clipboard' }));
  }
  return answers;
}

const loaded = 'sorted(name for name in __import__("sys").modules)';

/** Modules beyond the standard library that are loaded. */
async function foreignModules(stopped: Stopped): Promise<string[]> {
  const expression = `' '.join(n for n in ${loaded} if n.split('.')[0] not in __import__("sys").stdlib_module_names)`;
  const answer = await stopped.request('evaluate', { expression, frameId: stopped.frameId, context: 'clipboard' });
  return (answer as { result: string }).result.slice(1, -1).split(' ');
}

const numbers = oddNumbers(2 * 3 * 5 * 7);
const program = `
import base64, random, numpy
values = ${pythonArray(numbers, shape)}
def work(scale):
    single = values * scale
    double = values.astype('f8')
    turned = values.transpose(2, 0, 3, 1)
    whole = numpy.arange(2**40, 2**40 + 6).reshape(2, 3)
    byte = numpy.arange(12, dtype='u1').reshape(3, 4)
    masked = numpy.ma.masked_array([1., 2., 3.], [False, True, False])
    lists = [[1, 2.5, -1], [0, float('nan'), 3]]
    records = numpy.zeros(3, [('a', 'f4'), ('b', 'i4')])
    random.seed(3)
    print('before', random.random(), numpy.random.rand())
    result = single.size # stop
    print('after', random.random(), numpy.random.rand())
    return result
numpy.random.seed(1)
work(numpy.float32(1))
`;

test('arrays of NumPy and lists are read as they are, and the program is as before', { skip }, async (t) => {
  const running = await PythonProgram.start(t, program);
  const stopped = await running.stop();
  const before = [await stateOf(stopped), await foreignModules(stopped), running.output];

  const single = await ask(stopped, 'single  # a comment', { shown: cut });
  assert.deepEqual(
    [single.shape, single.dtype, single.device, single.library],
    [[...shape], 'float32', 'cpu', 'numpy'],
  );
  assertStatistics(single, expectedStatistics(numbers));
  assert.deepEqual([...single.numbers!], cutBy(numbers));
  assert.ok(single.numbers instanceof Float32Array);

  const double = await ask(stopped, 'double', { shown: cut });
  assert.ok(double.numbers instanceof Float64Array);
  assert.deepEqual([...double.numbers], cutBy(numbers));

  // The same cut of a view whose axes were exchanged: order puts them back.
  const turned = await ask(stopped, 'turned', {
    shown: { at: [null, 1, null, null], step: [2, 1, 3, 1], order: [3, 0, 2] },
  });
  assert.deepEqual([...turned.numbers!], cutBy(numbers));

  const flat = await ask(stopped, 'single.ravel()', { as: [...shape], shown: cut });
  assert.deepEqual([...flat.numbers!], cutBy(numbers), 'seen in another shape');

  const large = await ask(stopped, 'whole', { shown: whole(2) });
  assert.deepEqual(
    [...large.numbers!],
    [0, 1, 2, 3, 4, 5].map((n) => 2 ** 40 + n),
    'no digit is lost',
  );
  const byte = await ask(stopped, 'byte', { shown: whole(2) });
  assert.equal(byte.dtype, 'uint8');
  assert.deepEqual([...byte.numbers!], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  assert.deepEqual([...(await ask(stopped, 'masked', { shown: whole(1) })).numbers!], [1, Number.NaN, 3]);
  assertStatistics(await ask(stopped, 'lists'), expectedStatistics([1, 2.5, -1, 0, Number.NaN, 3]));
  assert.deepEqual(
    [...(await ask(stopped, 'lists', { shown: { ...whole(2), at: [1, null], order: [1] } })).numbers!],
    [...[0, Number.NaN, 3]],
  );
  const complex = await ask(stopped, 'double[0, 0, 0] + 2j', { shown: whole(2) });
  assert.deepEqual([complex.shape, complex.dtype], [[7, 2], 'complex128']);
  assert.deepEqual((await ask(stopped, '2.5', { shown: whole(0) })).shape, []);

  for (const [expression, words] of [
    ['missing', /NameError: name 'missing' is not defined/],
    ['single +', /SyntaxError/],
    ['1 / 0', /ZeroDivisionError/],
    ['single[9]', /IndexError/],
    ['work', /no array of numbers but builtins.function/],
    ['None', /no array of numbers but builtins.NoneType/],
    ['"text"', /no array of numbers but builtins.str/],
    ['["a", "b"]', /holds builtins.str/],
    ['[[1], [2, 3]]', /rows differ in length/],
    ['[]', /is empty/],
    ['records', /which are no numbers/],
    ['numpy.zeros((1,) * 6)', /has 6 axes/],
    ['[0.0] * 300000', /list of 300000 numbers/],
    ['(n := 3)', /would change the program/],
    ['', /no expression/],
    ['a'.repeat(5000), /longer than 4096/],
  ] as const) {
    await assertRefused(stopped, expression, words);
  }
  await assert.rejects(ask(stopped, 'single', { as: [4, 4] }), /does not have that shape: it has 210 numbers/);
  await assert.rejects(ask(stopped, 'single', { shown: whole(3) }), /another shape now: \[2,3,5,7\]/);
  const huge = 'numpy.broadcast_to(numpy.float32(2), (70, 1000, 1000))';
  await assert.rejects(ask(stopped, huge, { shown: whole(3) }), /too large to be shown: 70000000 numbers/);
  const uncounted = await ask(stopped, huge, { shown: { ...whole(3), at: [3, null, null], order: [1, 2] } });
  assert.deepEqual([uncounted.counted, uncounted.numbers!.length], [false, 1e6], 'a slice is fetched, not the whole');

  assert.deepEqual([await stateOf(stopped), await foreignModules(stopped), running.output], before);
  const alone = spawnSync(python!, ['-c', program], { encoding: 'utf8' });
  assert.equal(await running.finish(), alone.stdout);
});

const tensors = (make: string) => `
import base64, random, numpy
import torch
values = ${pythonArray(numbers, shape)}
${make}
print('before') # stop
print(latents.sum() if hasattr(latents, 'grad_fn') else 'after')
`;

async function checkTensors(
  t: TestContext,
  make: string,
  start: Omit<Parameters<typeof PythonProgram.start>[2], never>,
) {
  const running = await PythonProgram.start(t, tensors(make), start);
  const stopped = await running.stop();
  const looks = [
    'torch.is_grad_enabled()',
    'torch.get_rng_state()',
    'getattr(torch, "graph", 0)',
    'latents.requires_grad',
  ];
  const before = [await stateOf(stopped, looks), await foreignModules(stopped)];
  const latents = await ask(stopped, 'latents', { shown: cut });
  assert.deepEqual([latents.shape, latents.dtype, latents.library], [[...shape], 'float32', 'torch']);
  assertStatistics(latents, expectedStatistics(numbers));
  assert.deepEqual([...latents.numbers!], cutBy(numbers));
  const again = await ask(stopped, 'latents', { as: [6, 35], shown: { ...whole(2), at: [4, null], order: [1] } });
  assert.deepEqual([...again.numbers!], [...numbers.subarray(140, 175)]);
  assert.equal((await ask(stopped, 'short')).dtype, 'bfloat16');
  assert.deepEqual([...(await ask(stopped, 'counts', { shown: whole(1) })).numbers!], [2 ** 40, 5]);
  await assertRefused(stopped, 'sparse', /is stored as torch.sparse_coo/);
  await assertRefused(stopped, 'quantized', /is quantized \(torch.quint8\)/);
  await assertRefused(stopped, 'meta', /has no numbers/);
  assert.deepEqual([await stateOf(stopped, looks), await foreignModules(stopped)], before);
  return { running, stopped };
}

test('tensors with PyTorch’s interface are read without a graph, a random number or a module more', {
  skip,
}, async (t) => {
  const make = `
latents = torch.tensor(values, requires_grad=True)
short = torch.tensor(values, dtype=torch.bfloat16)
counts = torch.tensor(numpy.array([2**40, 5]))
sparse = torch.tensor(values, layout=torch.sparse_coo)
quantized = torch.tensor(values.clip(0, 9).astype('u1'), dtype=torch.quint8, is_quantized=True)
meta = torch.tensor(values, device='meta')
lost = torch.tensor(values, device='lost')
gpu = torch.tensor(values, device='cuda:0')
class DTensor(torch.Tensor):
    def to_local(self): raise SystemExit
spread = DTensor(values)
`;
  const { stopped } = await checkTensors(t, make, { modules: { 'torch.py': standIn } });
  await assert.rejects(
    ask(stopped, 'lost', { shown: cut }),
    /could not be read: RuntimeError: CUDA error: device-side assert/,
  );
  await assertRefused(stopped, 'spread', /spread over processes/);
  assert.equal((await ask(stopped, 'gpu', { shown: cut })).device, 'cuda:0');
  await assertRefused(stopped, '(torch._state.update(capturing=True), gpu)[1]', /recording a CUDA graph/);
});

const torch = pythonWith('debugpy', 'torch', 'numpy');
if (torch) {
  test('the same with PyTorch itself', async (t) => {
    const make = `
latents = torch.nn.Parameter(torch.from_numpy(values))
short = latents.to(torch.bfloat16)
counts = torch.tensor([2**40, 5])
sparse = torch.eye(3).to_sparse()
quantized = torch.quantize_per_tensor(torch.eye(3), 0.1, 0, torch.quint8)
meta = torch.empty(3, device='meta')
`;
    const { running, stopped } = await checkTensors(t, make, { interpreter: torch });
    const leftovers = await ask(stopped, 'latents.to(memory_format=torch.channels_last).flip(0)[:, :, ::2]');
    assert.deepEqual(leftovers.shape, [2, 3, 3, 7]);
    assert.deepEqual((await ask(stopped, 'latents[0, 0] + 1j')).shape, [5, 7, 2]);
    assert.match(await running.finish(), /before\ntensor\(nan, grad_fn=<SumBackward0>\)\n$/);
  });
} else {
  console.log('PyTorch itself is not tested: no Python with debugpy and torch. Its interface is, with a stand-in.');
}

test('a program that runs on, or is busy, ends the reading and not the program', { skip }, async (t) => {
  const running = await PythonProgram.start(
    t,
    ['import time', 'print(1) # stop', 'print(2) # stop', 'print(3)', ''].join('\n'),
  );
  const stopped = await running.stop();
  const slow = ask(stopped, '[time.sleep(2), 1.0][1:]');
  const refused = assert.rejects(slow, /the program ran on while `\[time/);
  const next = running.next();
  await refused;
  assert.equal((await next).line, 3);
  assert.equal((await ask(await next, '[1, 2]')).library, 'list');
  await assert.rejects(ask(stopped, '1.0'), /ran on/, 'an old frame is not asked');
  assert.equal(await running.finish(), '1\n2\n3\n');
});
