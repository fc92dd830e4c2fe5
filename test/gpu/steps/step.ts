/** What a step of `npm run gpu` is: a function that finds something out about a device, in a process of its own. */
import type { DeviceName } from '../../../backend/engine/open.ts';
import type { Findings } from '../record.ts';
import type { Settings } from '../settings.ts';
import type { Adapter } from '../vulkan.ts';

export interface StepContext {
  readonly device: DeviceName;
  readonly settings: Settings;
  /** The step's time limit, in seconds: one that can do less does so and says it. */
  readonly limit: number;
  /** A folder of the run: what a step keeps for later ones lies in it. */
  readonly work: string;
  /** What has been found so far; counts where the step is broken off. */
  tell(findings: Findings): void;
}

export type Step = (context: StepContext) => Promise<Findings>;

/** The device is not on this machine, which is no fault of anybody's. */
export class Absent extends Error {}

export type StepMessage = { readonly findings: Findings; readonly end?: 'passed' } | { readonly absent: string };

/** What the step about the machine's adapters hands on. */
export interface AdapterData {
  readonly adapters: readonly Adapter[];
  /** Whether this system can be asked at all. */
  readonly asked: boolean;
}
