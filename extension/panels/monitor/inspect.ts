/** From a place in the monitor's pictures to what the score inspector is to show. */
import type { InspectorChoice } from '../../../backend/protocol/panels/inspector.ts';

type Place = { readonly x: number; readonly y: number } | { readonly image: number; readonly sigma: number };

/** @param config of the run, JSON: how many samples it records says how its grid is laid out */
export function choiceAt(at: Place, config: string): Pick<InspectorChoice, 'sample' | 'level' | 'condition'> {
  if ('image' in at) {
    return { sample: { kind: 'probe', index: at.image }, level: { by: 'sigma', value: at.sigma }, condition: null };
  }
  const { record } = JSON.parse(config) as { record?: { samples?: number } };
  const count = record?.samples ?? 1;
  // As square as can be, row by row.
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  const cell = (part: number, of: number) => Math.min(of - 1, Math.floor(part * of));
  const index = Math.min(count - 1, cell(at.y, rows) * columns + cell(at.x, columns));
  return { sample: { kind: 'samples', index }, condition: null };
}
