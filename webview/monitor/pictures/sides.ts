/** What A and B of a comparison are: a run each, and a step of it or wherever the cursor is. */
import type { MonitorState } from '../../../backend/protocol/panels/monitor.ts';
import { apply, element, fillWith } from '../../shared/dom.ts';
import { count } from '../../shared/format.ts';
import { fill } from '../../shared/initial.ts';
import type { RunData } from '../data/run-data.ts';
import type { Monitor } from '../monitor.ts';

export type Side = MonitorState['pictures']['a'];
export type SideName = 'a' | 'b';

/** The step that a side is about; undefined before anything is recorded. */
export function stepOf(side: Side, steps: readonly number[], cursor: number): number | undefined {
  if (side.step === 'cursor') return cursor;
  return side.step === 'first' ? steps[0] : side.step;
}

/** The run of a side: the one that was chosen, as long as it is shown; else the one in focus. */
export function runOf(monitor: Monitor, side: Side): RunData | undefined {
  return (side.folder === null ? undefined : monitor.run(side.folder)) ?? monitor.focus;
}

export class SideChoice {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #name: SideName;
  readonly #run: HTMLSelectElement;
  readonly #step: HTMLSelectElement;

  constructor(monitor: Monitor, name: SideName, change: (side: Side) => void) {
    this.#monitor = monitor;
    this.#name = name;
    const { texts } = monitor;
    const letter = name.toUpperCase();
    this.#run = element('select', {
      ...{ 'aria-label': fill(texts.sideRun, letter), 'data-side': `${name} run` },
      onchange: () => change({ folder: this.#run.value, step: this.#side.step }),
    });
    this.#step = element('select', {
      ...{ 'aria-label': fill(texts.sideStep, letter), 'data-side': `${name} step` },
      onchange: () => change({ folder: this.#side.folder, step: stepFrom(this.#step.value) }),
    });
    this.root = element('span', { class: 'side' }, element('b', {}, letter), this.#run, this.#step);
  }

  /** @param steps of the side's run that can be chosen */
  show(steps: readonly number[]): void {
    const { texts, runs } = this.#monitor;
    options(
      this.#run,
      runs.map(({ folder, name }) => [folder, name]),
    );
    this.#run.hidden = runs.length < 2;
    const { step } = this.#side;
    const chosen = typeof step === 'number' && !steps.includes(step) ? [step] : [];
    options(this.#step, [
      ['cursor', texts.sideCursor],
      ['first', texts.sideFirst],
      ...[...chosen, ...steps].map((at): [string, string] => [String(at), fill(texts.atStep, count(at))]),
    ]);
    this.#run.value = runOf(this.#monitor, this.#side)?.folder ?? '';
    this.#step.value = String(step);
  }

  get #side(): Side {
    return this.#monitor.state.pictures[this.#name];
  }
}

function stepFrom(value: string): Side['step'] {
  return value === 'cursor' || value === 'first' ? value : Number(value);
}

/** Only where they are others: a list that is open stays. */
export function options(select: HTMLSelectElement, wanted: readonly (readonly [value: string, name: string])[]): void {
  const key = JSON.stringify(wanted);
  if (select.dataset.options === key) return;
  const { value } = select;
  apply(select, { 'data-options': key });
  fillWith(select, ...wanted.map(([of, name]) => element('option', { value: of }, name)));
  select.value = value;
}
