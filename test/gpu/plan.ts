/** The steps of `npm run gpu`, in their order, and what to make of how they end. */
import type { DeviceName } from '../../backend/engine/open.ts';
import type { GpuRecord, StepRecord } from './record.ts';
import type { Settings } from './settings.ts';
import type { AdapterData } from './steps/step.ts';

export interface PlannedStep {
  readonly id: string;
  readonly title: string;
  /** Seconds; more with `--full` and on a software adapter. */
  readonly limit: number;
}

export const machineStep: PlannedStep = { id: 'adapters', title: 'adapters and drivers', limit: 20 };

/** Seconds, as a step's limit: steps that have not begun by then are left out. */
export const wholeLimit = 240;

/** A device's steps; the first one decides whether there is anything to do. */
const deviceSteps: readonly PlannedStep[] = [
  { id: 'opening', title: 'device opened', limit: 30 },
  { id: 'contract', title: "the engine's promises", limit: 40 },
  { id: 'cases', title: 'reference cases', limit: 40 },
  { id: 'curves', title: "DMD iterations beside the CPU's", limit: 75 },
  { id: 'crossings', title: 'what crosses in an iteration', limit: 25 },
  { id: 'speed', title: 'time beside the CPU and PyTorch', limit: 60 },
];

/** TensorFlow.js has its row, and is held to the engine's promises elsewhere. */
export function stepsOf(device: DeviceName): readonly PlannedStep[] {
  return device === 'tensorflow' ? deviceSteps.filter(({ id }) => id === 'opening' || id === 'speed') : deviceSteps;
}

export const wanted = ({ id }: PlannedStep, { only }: Settings) =>
  only.length === 0 || only.some((word) => id.includes(word));

/** Why a device is not to be tried; empty where it is. */
export function reasonAgainst(device: DeviceName, settings: Settings, machine: AdapterData | null): string {
  // What WebGPU would find is known where the system can be asked; where asking failed, trying tells.
  if (device !== 'webgpu' || !machine?.asked) return '';
  const { adapters } = machine;
  if (adapters.length === 0) return 'no graphics card was found';
  if (settings.software || adapters.some(({ kind }) => kind !== 'cpu')) return '';
  const names = adapters.map(({ name }) => name).join(', ');
  return `only a software adapter was found (${names}); npm run gpu -- --software takes it`;
}

/** One sentence for people, and whether all that should pass did. */
export function verdictOf(steps: readonly StepRecord[], { software }: Settings): Pick<GpuRecord, 'verdict' | 'ok'> {
  const label = ({ device, title }: StepRecord) => (device === '' ? title : `${device}, ${title}`);
  // What computes on the processor may well take longer than a step has.
  const failed = steps.filter(({ status }) => status === 'failed' || (status === 'slow' && !software));
  if (failed.length > 0) return { verdict: `Not well: ${failed.map(label).join('; ')}.`, ok: false };
  const used = new Set(
    steps.filter(({ device, status }) => device !== '' && status === 'passed').map(({ device }) => device),
  );
  const broken = steps.some(({ status }) => status === 'interrupted') ? ' It was interrupted.' : '';
  const open = steps.filter(({ status }) => status === 'slow' || status === 'left out');
  const undone = open.length > 0 ? ` There was no time to end: ${open.map(label).join('; ')}.` : '';
  if (used.size > 0)
    return { verdict: `Everything that was done on ${[...used].join(' and ')} is well.${undone}${broken}`, ok: true };
  return { verdict: `There is no graphics card here that could be used; nothing was tried.${broken}`, ok: true };
}
