/** Requests that the state of a run answers, whatever the loop does: what there is to see, and how fast it is to go. */
import { UserError } from '../../protocol/errors.ts';
import { runRequests } from '../../protocol/run-requests.ts';
import type { TrainingSession } from '../../training/session.ts';
import type { RunControl } from './control.ts';
import { HeldTensors } from './held-tensors.ts';

export function answerFromState(control: RunControl, session: TrainingSession): void {
  const { desk } = control;
  const { trainer } = session;
  const held = new HeldTensors(session);
  desk.handle(runRequests.inspect, (query, signal) => {
    if (session.inspect) return session.inspect(query, { signal });
    throw new UserError('usage', 'this run trains no distillation: it has no scores', 'Inspect a distillation.');
  });
  desk.handle(runRequests.plane, (asked) => {
    if (session.readPlane) return session.readPlane(trainer.step, asked);
    throw new UserError('usage', 'the samples of this run are no points of the plane', 'Open it in the monitor.');
  });
  desk.handle(runRequests['tensors/list'], () => held.list());
  desk.handle(runRequests['tensors/read'], (part) => held.read(part));
  desk.handle(runRequests.pace, ({ perSecond }) => {
    control.setPace(perSecond);
    return { step: trainer.step };
  });
  desk.handle(runRequests.advance, ({ iterations }) => {
    control.advance(iterations);
    return { step: trainer.step };
  });
}
