/** What came of the inputs of each reader. */
import { isFinding, type Outcome } from './order.ts';

interface Row {
  inputs: number;
  read: number;
  refused: number;
  findings: number;
  peakBytes: number;
  slowest: number;
}

export class Tally {
  readonly #rows: ReadonlyMap<string, Row>;

  constructor(readers: readonly string[]) {
    const empty = () => ({ inputs: 0, read: 0, refused: 0, findings: 0, peakBytes: 0, slowest: 0 });
    this.#rows = new Map(readers.map((name) => [name, empty()]));
  }

  add(reader: string, outcome: Outcome): void {
    const row = this.#rows.get(reader)!;
    row.inputs++;
    if (isFinding(outcome)) row.findings++;
    else row[outcome.kind === 'read' ? 'read' : 'refused']++;
    row.peakBytes = Math.max(row.peakBytes, outcome.peakBytes);
    row.slowest = Math.max(row.slowest, outcome.milliseconds);
  }

  table(): string {
    const cells = ([name, row]: readonly [string, Row]) => [
      ...[name, row.inputs, row.read, row.refused, row.findings],
      ...[`${Math.round(row.peakBytes / 2 ** 20)} MB`, `${Math.round(row.slowest)} ms`],
    ];
    const rows = [...this.#rows];
    const sum = (key: 'inputs' | 'read' | 'refused' | 'findings') =>
      rows.reduce((total, [, row]) => total + row[key], 0);
    const most = (key: 'peakBytes' | 'slowest') => Math.max(...rows.map(([, row]) => row[key]));
    const total = {
      ...{ inputs: sum('inputs'), read: sum('read'), refused: sum('refused'), findings: sum('findings') },
      ...{ peakBytes: most('peakBytes'), slowest: most('slowest') },
    };
    const table = [
      ['reader', 'inputs', 'read', 'refused', 'findings', 'peak', 'slowest'],
      ...rows.map(cells),
      cells(['all', total]),
    ];
    return table
      .map(([name, ...rest]) => String(name).padEnd(17) + rest.map((cell) => String(cell).padStart(10)).join(''))
      .join('\n');
  }
}
