/** What a run of `npm run gpu` found: the report's data, as its JSON file has it. */

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One number of every iteration, on a device and on the CPU. */
export interface Curve {
  readonly name: string;
  readonly device: readonly number[];
  readonly cpu: readonly number[];
}

export interface Findings {
  readonly table?: Table;
  readonly curves?: readonly Curve[];
  /** For people: what was left out and why, how something is to be read. */
  readonly notes: readonly string[];
  /** What should have passed on this device and did not. */
  readonly failures: readonly string[];
  /** The numbers behind the table, for programs. */
  readonly data?: unknown;
}

/**
 * `absent`: what the step wants is not on this machine, which is no fault. `slow`: broken off at its time limit, with what it had
 * found until then. `left out`: the time of the whole was up before it began.
 */
export type StepStatus = 'passed' | 'failed' | 'absent' | 'slow' | 'interrupted' | 'left out';

export interface StepRecord {
  readonly id: string;
  readonly title: string;
  /** Empty where a step is about the machine. */
  readonly device: string;
  readonly status: StepStatus;
  /** Why it did not pass; one line. */
  readonly why: string;
  readonly seconds: number;
  readonly findings: Findings;
}

export interface GpuRecord {
  readonly format: 1;
  /** On what it ran: machine, versions, commit. */
  readonly on: readonly string[];
  readonly began: string;
  /** How it was called. */
  readonly options: object;
  readonly verdict: string;
  /** Whether everything that should pass did. */
  readonly ok: boolean;
  readonly steps: readonly StepRecord[];
}

export const nothing: Findings = { notes: [], failures: [] };
