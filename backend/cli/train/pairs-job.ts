/** `dmd pairs`: the options as the config of a distillation, whose teacher makes the pairs. */
import { openTeacher } from '../../methods/common/open-teacher.ts';
import { helpMakePairs, type MakePairsOptions, makePairs, pairWork } from '../../methods/common/pairs.ts';
import { loadTeacher } from '../../models/teacher.ts';
import { isTextTeacher } from '../../models/text/text-teacher.ts';
import { parseConfig } from '../../protocol/config/index.ts';
import { resolvePaths } from '../../runs/config-file.ts';

export interface PairsJobOptions {
  readonly teacher: string;
  readonly prompts: string | undefined;
  readonly promptColumn: string | undefined;
  readonly guidance: number;
  readonly labels: 'uniform' | 'none';
  /** Noise level to start from; undefined: the one the teacher's generator is called at. */
  readonly sigma: number | undefined;
  readonly steps: number;
  readonly count: number;
  readonly seed: number;
}

type How = Pick<MakePairsOptions, 'engine' | 'onProgress' | 'signal' | 'ranks'>;

/** Opens and checks teacher and prompts. @returns which pairs they are, and what makes them in a folder. Throws UserError. */
export async function openPairsJob(options: PairsJobOptions) {
  const { teacher: name, prompts, promptColumn, guidance, labels, sigma, steps, count, seed } = options;
  const asked = {
    ...{ kind: 'distill', teacher: name, seed, regression: { pairs: { steps } } },
    ...(isTextTeacher(name)
      ? { text: { guidance, prompts, promptColumn } }
      : { labels, generator: { sigma: sigma ?? (await loadTeacher(name)).generatorSigma } }),
  };
  const config = resolvePaths(parseConfig(JSON.stringify(asked), 'the options of dmd pairs'), process.cwd());
  if (config.kind !== 'distill') throw new Error('not a distillation');
  const { pairs, openConditions } = await openTeacher(config);
  return {
    work: pairWork(pairs, count, seed),
    async make(folder: string, how: How): Promise<{ made: number }> {
      const conditions = await openConditions(how.engine, null);
      try {
        return await makePairs(folder, { ...how, pairs, conditions: conditions.source, count, seed });
      } finally {
        await conditions.dispose();
      }
    },
    /** This rank's share of what the leader makes. */
    async help(how: How): Promise<void> {
      const conditions = await openConditions(how.engine, null);
      try {
        await helpMakePairs({ ...how, pairs, conditions: conditions.source, count, seed });
      } finally {
        await conditions.dispose();
      }
    },
  };
}
