/** Real points for a mixture as a teacher: drawn from the mixture itself. */
import { type Mixture, stdsOf } from '../../data/mixture.ts';
import { stream } from '../../random/stream.ts';
import type { RealConfig, RealImages, RealSource } from './real-source.ts';

export function mixturePoints(
  { seed }: Pick<RealConfig, 'seed'>,
  mixture: Mixture,
): RealSource & { open(): Promise<RealImages> } {
  const { modes } = mixture;
  const stds = stdsOf(mixture);
  const dimensions = modes[0]!.length;
  return {
    inputs: async () => ({}),
    open: async () => ({
      async batch({ step, micro, update }, count, use) {
        const random = stream(seed, 'distill', 'real', use, step, micro, update);
        const which = random.randint(0, modes.length, count);
        const noise = random.randn(count * dimensions);
        const data = noise.map((value, i) => {
          const mode = which[Math.floor(i / dimensions)]!;
          return modes[mode]![i % dimensions]! + stds[mode]! * value;
        });
        return { x: { shape: [count, dimensions, 1, 1], data }, conditions: {} };
      },
      dispose: async () => {},
    }),
    close: async () => {},
  };
}
