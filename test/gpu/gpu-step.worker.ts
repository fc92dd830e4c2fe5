/** A process of its own for one step: a driver that crashes or hangs takes only this process down. Called with step, device and context. */
import type { DeviceName } from '../../backend/engine/open.ts';
import { adapters } from './steps/adapters.ts';
import { cases } from './steps/cases.ts';
import { crossings } from './steps/crossings.ts';
import { curves } from './steps/curves.ts';
import { opening } from './steps/opening.ts';
import { speed } from './steps/speed.ts';
import { Absent, type Step, type StepContext, type StepMessage } from './steps/step.ts';

const steps: Readonly<Record<string, Step>> = { adapters, opening, cases, curves, crossings, speed };

const [step = '', device = '', context = ''] = process.argv.slice(2);
const send = (message: StepMessage, then?: () => void) => process.send?.(message, () => then?.());
try {
  const given = JSON.parse(context) as Omit<StepContext, 'device' | 'tell'>;
  const tell: StepContext['tell'] = (findings) => send({ findings });
  const findings = await steps[step]!({ ...given, device: device as DeviceName, tell });
  // Leaves without the runtime's own clean-up, which has been seen to hang or crash once everything is done.
  send({ findings, end: 'passed' }, () => process.exit(0));
} catch (error) {
  if (!(error instanceof Absent)) throw error;
  send({ absent: error.message }, () => process.exit(0));
}
