import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Mt19937 } from '../../backend/random/mt19937.ts';
import { StackedGenerator } from '../../backend/random/stacked-generator.ts';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';

interface Call {
  call: 'randn' | 'rand' | 'randint';
  args: number[];
  values: number[];
  sum: number;
}
const file = new URL('../golden/random/torch.json', import.meta.url);
const { sequences } = JSON.parse(readFileSync(file, 'utf8')) as { sequences: { seed: string; calls: Call[] }[] };

function invoke(generator: TorchGenerator, { call, args }: Call): number[] {
  if (call === 'randint') return [...generator.randint(args[0]!, args[1]!, args[2]!)];
  return [...generator[call](args[0]!)];
}

test('every recorded PyTorch sequence comes out the same', () => {
  for (const { seed, calls } of sequences) {
    const generator = new TorchGenerator(BigInt(seed));
    for (const [i, recorded] of calls.entries()) {
      const where = `seed ${seed}, call ${i}: ${recorded.call}(${recorded.args.join(', ')})`;
      const values = invoke(generator, recorded);
      const kept = values.length <= 40 ? values : [...values.slice(0, 20), ...values.slice(-20)];
      const tolerance = recorded.call === 'randn' ? 1e-6 : 0;
      assert.equal(kept.length, recorded.values.length, where);
      for (const [j, value] of kept.entries()) {
        const gap = Math.abs(value - recorded.values[j]!);
        assert.ok(gap <= tolerance, `${where}: number ${j} is ${value}, recorded ${recorded.values[j]}`);
      }
      const sum = values.reduce((total, value) => total + value, 0);
      assert.ok(Math.abs(sum - recorded.sum) <= values.length * tolerance * 0.1 + 1e-9, `${where}: sum ${sum}`);
    }
  }
});

test('init_by_array gives the published first outputs of mt19937ar.out', () => {
  const engine = Mt19937.fromKey(Uint32Array.of(0x123, 0x234, 0x345, 0x456));
  const first = Array.from({ length: 5 }, () => engine.next());
  assert.deepEqual(first, [1067595299, 955945823, 477289528, 4107218783, 4228976476]);
});

test('number and bigint seeds agree, other seeds and ranges are refused', () => {
  assert.deepEqual(new TorchGenerator(77).randn(20), new TorchGenerator(77n).randn(20));
  assert.deepEqual(new TorchGenerator(-1).rand(3), new TorchGenerator(2n ** 32n - 1n).rand(3));
  assert.throws(() => new TorchGenerator(0.5), /not an integer/);
  assert.throws(() => new TorchGenerator(1).randint(3, 3, 1), /bad range \[3, 3\)/);
});

test('a stacked generator gives each sample what its own seed gives', () => {
  const stacked = new StackedGenerator([5, 900]);
  const noise = stacked.randn(48);
  const labels = stacked.randint(0, 10);
  for (const [i, seed] of [5, 900].entries()) {
    const alone = new TorchGenerator(seed);
    assert.deepEqual(noise.slice(i * 48, (i + 1) * 48), alone.randn(48));
    assert.equal(labels[i], alone.randint(0, 10, 1)[0]);
  }
});
