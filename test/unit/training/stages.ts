/** The stages that an iteration has, by name, and those of its listing: sorted, for a test that compares them. */
import type { Engine } from '../../../backend/engine/engine.ts';
import { methodOf } from '../../../backend/methods/index.ts';
import type { DistillConfig } from '../../../backend/protocol/config/index.ts';

/** @param folder whatever is made lies there */
export async function stagesOf(engine: Engine, config: DistillConfig, folder: string) {
  const stages = new Set<string>();
  const method = methodOf(config);
  const plan = await method.plan(config);
  const session = await plan.start({
    ...{ engine, folder, signal: new AbortController().signal, report: () => {} },
    recorder: { add: () => {}, samples: () => {}, fields: () => {} },
  });
  await session.trainer.advance({ onStage: async ({ stage }) => void stages.add(stage) });
  await session.dispose();
  const listed = method.listing(config).flatMap(({ stage }) => stage ?? []);
  return { run: [...stages].sort(), listed: listed.sort() };
}
