/** A training's turns; what is compared are the numbers of its first iteration. */
import type { TensorData } from '../../../../backend/graph/tensor-data.ts';
import type { Scalars, Trainer } from '../../../../backend/training/trainer.ts';
import type { Ready } from '../workload.ts';

const compared = ['lossMatching', 'lossRegression', 'lossFake', 'normGenerator', 'normFake'];

export function scalarAnswers(trainer: Trainer): Ready {
  let first: Scalars | null = null;
  return {
    async turn() {
      const { scalars } = await trainer.advance();
      first ??= scalars;
    },
    async answers() {
      const number = (name: string): TensorData => ({ shape: [1], data: Float32Array.of(first![name]!) });
      return new Map(compared.map((name) => [name, number(name)]));
    },
    dispose: () => trainer.dispose(),
  };
}
