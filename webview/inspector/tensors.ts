/** Every tensor of one or two inspections under the names of the exported file. Knows no page. */
import type { Inspection } from '../../backend/protocol/inspection.ts';
import type { NamedTensor } from '../shared/safetensors.ts';

/** `x`, `muReal` and so on; `levels/...` along the ladder; with two of them each under `step-N/`. */
export function tensorsOf(found: readonly Inspection[]): NamedTensor[] {
  return found.flatMap((inspection) => {
    const { tensors, strip, levels, level, step } = inspection;
    const prefix = found.length > 1 ? `step-${step}/` : '';
    const numbers = (of: readonly number[]) => Float32Array.from(of);
    const all: NamedTensor[] = [
      ...tensors,
      { name: 'sigma', shape: [1], data: numbers([level.sigma]) },
      { name: 'alpha', shape: [1], data: numbers([level.alpha]) },
      ...strip.map((tensor) => ({ ...tensor, name: `levels/${tensor.name}` })),
      { name: 'levels/index', shape: [levels.length], data: numbers(levels.map(({ index }) => index)) },
      { name: 'levels/sigma', shape: [levels.length], data: numbers(levels.map(({ sigma }) => sigma)) },
      { name: 'levels/alpha', shape: [levels.length], data: numbers(levels.map(({ alpha }) => alpha)) },
    ];
    return all.map((tensor) => ({ ...tensor, name: prefix + tensor.name }));
  });
}
