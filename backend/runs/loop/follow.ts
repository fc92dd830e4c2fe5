/**
 * A rank that another one leads: it opens what the leader has opened, computes its share of every iteration, and writes nothing.
 * It ends when the leader says so, or when somebody is lost.
 */
import { openEngine } from '../../engine/devices.ts';
import { describeError } from '../../files/describe-error.ts';
import type { RunMessage } from '../../protocol/run-messages.ts';
import { type Ranks, RanksFailed } from '../../ranks/ranks.ts';
import { threadsOf } from '../../ranks/threads.ts';
import { words } from '../../ranks/words.ts';
import { IterationDropped } from '../../training/iteration.ts';
import type { Records, TrainingSession } from '../../training/session.ts';
import { shareState } from '../../training/share-state.ts';
import { NumericStop } from '../../training/trainer.ts';
import { planOf, type RunRequest } from './open.ts';
import { type Begun, compareInputs, greet, rankScalars } from './together.ts';

/** What is recorded is the leader's. */
const unrecorded: Records = { add() {}, samples() {}, fields() {} };

/** Never throws: the last message is `ended`, or `failed` with what went wrong on this rank. */
export async function followRun(
  request: RunRequest,
  ranks: Ranks,
  signal: AbortSignal,
  report: (message: RunMessage) => void,
): Promise<void> {
  try {
    await greet(ranks, request);
    const step = await followLeader(await begun(ranks), ranks, signal);
    report({ type: 'ended', state: 'stopped', folder: '', step, iterations: step, files: [] });
  } catch (error) {
    await ranks.fail(error);
    // What went wrong elsewhere is told there.
    if (error instanceof RanksFailed) {
      report({ type: 'ended', state: 'stopped', folder: '', step: 0, iterations: 0, files: [] });
    } else report({ type: 'failed', folder: null, error: describeError(error) });
  } finally {
    await ranks.close();
  }
}

async function begun(ranks: Ranks): Promise<Begun> {
  return JSON.parse(await ranks.tell('')) as Begun;
}

/** @returns the iterations done */
async function followLeader(first: Begun, ranks: Ranks, signal: AbortSignal): Promise<number> {
  const threads = first.config.threads || threadsOf(ranks);
  const { engine } = await openEngine({ device: first.device, threads });
  try {
    for (let { config, folder } = first; ; { config, folder } = await begun(ranks)) {
      const plan = await planOf(config, { signal });
      await compareInputs(ranks, await plan.inputs({ signal }));
      const session = await plan.start({ engine, folder, signal, ranks, recorder: unrecorded, report: () => {} });
      try {
        await shareState(ranks, session.trainer);
        if ((await iterations(session, ranks)) === words.end) return session.trainer.step;
      } finally {
        await session.dispose();
      }
    }
  } finally {
    await engine.dispose();
  }
}

/** @returns the word that ended them */
async function iterations({ trainer }: TrainingSession, ranks: Ranks): Promise<number> {
  const onMicro = async (step: number, done: number) => {
    if (done > 0 && (await ranks.agree(0)) === words.drop) throw new IterationDropped(step);
  };
  for (;;) {
    const word = await ranks.agree(0);
    if (word !== words.iterate) return word;
    const start = performance.now();
    try {
      await trainer.advance({ onMicro });
    } catch (error) {
      // The leader says what becomes of the run.
      if (error instanceof IterationDropped || error instanceof NumericStop) continue;
      throw error;
    }
    await rankScalars(ranks, (performance.now() - start) / 1000, trainer.imagesPerStep);
  }
}
