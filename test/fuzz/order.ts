/** What goes to the process that reads inputs, and what comes back. */

export interface Order {
  readonly reader: string;
  /** An input by its seed, or one that lies in a folder. */
  readonly input: { readonly seed: number } | { readonly folder: string };
}

export interface Outcome {
  /** 'bug': it threw what no person is meant to see, which ends `dmd` with exit code 70. */
  readonly kind: 'read' | 'refused' | 'bug' | 'memory' | 'hang' | 'crash';
  /** Of what is no refusal: the error with its stack. */
  readonly what: string;
  /** The most memory that the process had while it read, and how large the input was. */
  readonly peakBytes: number;
  readonly inputBytes: number;
  readonly milliseconds: number;
}

export const isFinding = ({ kind }: Outcome): boolean => kind !== 'read' && kind !== 'refused';

/** Of inputs under `smallBytes`; what is larger may take what it takes. */
export const mostMemory = 2 ** 30;
export const smallBytes = 2 * 2 ** 20;
