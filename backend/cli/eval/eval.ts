/** The work of `dmd eval`: opens features and references once, measures one model after the other, prints the table. */
import { readPromptFile } from '../../data/prompts/prompt-file.ts';
import type { SamplerName } from '../../diffusion/vp/index.ts';
import type { Engine } from '../../engine/engine.ts';
import { openContestant } from '../../evaluate/contestants.ts';
import { type Evaluation, evaluate, helpEvaluate, type PromptScorer, pairSide } from '../../evaluate/evaluate.ts';
import { deviceProducts } from '../../evaluate/pair-products.ts';
import { ReferenceShelf } from '../../evaluate/shelf.ts';
import { openInceptionSpace, openNamedSpace } from '../../evaluate/spaces.ts';
import { type InceptionKind, inceptionWays } from '../../metrics/inception/preprocess.ts';
import type { Ranks } from '../../ranks/ranks.ts';
import { interruptible } from '../interrupt.ts';
import { type Output, table } from '../output.ts';
import { createProgress, progressMode } from '../progress.ts';
import { asRank, greetRanks, openShared, requireWork } from '../ranks.ts';

export interface EvalOptions {
  readonly reference?: string;
  readonly captions?: string;
  readonly promptColumn?: string;
  /** 'scenes' where it is left out. */
  readonly features?: string;
  readonly inception?: string;
  readonly resize: InceptionKind;
  readonly clip?: string;
  readonly count: number;
  readonly steps?: number;
  readonly scheduler?: SamplerName;
  readonly guidance?: number;
  readonly seed: number;
  readonly device: string;
  readonly threads: number;
}

export function evalCommand(models: readonly string[], options: EvalOptions, output: Output): Promise<void> {
  return asRank((ranks) => evaluateAsRank(models, options, output, ranks));
}

async function evaluateAsRank(
  models: readonly string[],
  options: EvalOptions,
  output: Output,
  ranks: Ranks,
): Promise<void> {
  const captions = options.captions ? readPromptFile(options.captions, options.promptColumn) : null;
  const { count, seed, steps, scheduler, guidance, features, resize } = options;
  await greetRanks(ranks, {
    models,
    count,
    seed,
    steps,
    scheduler,
    guidance,
    features,
    resize,
    prompts: captions?.length,
  });
  requireWork(ranks, count, 'pictures');
  const engine = await openShared(options, ranks);
  try {
    const promptScorer = options.clip ? await openPromptScorer(engine, options.clip) : null;
    const opened = { ...options, captions, engine, promptScorer, ranks };
    if (ranks.rank > 0) await helpAll(models, opened);
    else await interruptible((signal) => evaluateAll(models, { ...opened, signal }, output));
  } finally {
    await engine.dispose();
  }
}

interface Opened extends Omit<EvalOptions, 'captions'> {
  readonly captions: readonly string[] | null;
  readonly engine: Engine;
  readonly promptScorer: PromptScorer | null;
  readonly ranks: Ranks;
}

async function openSpace(options: Opened) {
  const { engine, count, captions, features = 'scenes', inception, resize, reference: path = null, ranks } = options;
  const space = await (inception ? openInceptionSpace(engine, inception, resize) : openNamedSpace(engine, features));
  const isInception = inception !== undefined;
  const hasOwnData = isInception || features === 'scenes';
  return { space, shelf: new ReferenceShelf({ space, isInception, hasOwnData, path, count, captions, ranks }) };
}

function openModelOf(name: string, { engine, scheduler, guidance, ...options }: Opened) {
  const steps: number | null = options.steps ?? null;
  return openContestant(name, {
    engine,
    steps,
    ...(scheduler === undefined ? {} : { scheduler }),
    ...(guidance === undefined ? {} : { guidance }),
  });
}

/** The share of a rank that another one leads. */
async function helpAll(models: readonly string[], options: Opened): Promise<void> {
  const { count, seed, captions, promptScorer, ranks } = options;
  const { space, shelf } = await openSpace(options);
  for (const name of models) {
    const contestant = await openModelOf(name, options);
    try {
      const reference = await shelf.referenceFor(contestant);
      await helpEvaluate({
        ...{ contestant, count, seed, prompts: captions ?? reference?.prompts ?? null, promptScorer, ranks },
        compared: reference && { space, reference },
      });
    } finally {
      await contestant.dispose();
    }
  }
  await space.dispose();
}

async function evaluateAll(
  models: readonly string[],
  options: Opened & { readonly signal: AbortSignal },
  output: Output,
): Promise<void> {
  const { engine, count, seed, captions, promptScorer, signal, ranks } = options;
  const { space, shelf } = await openSpace(options);
  const { products, dispose } = await deviceProducts(engine, pairSide, space.dims);
  const rows: Row[] = [];
  for (const name of models) {
    const contestant = await openModelOf(name, options);
    const reference = await shelf.referenceFor(contestant);
    const progress = createProgress(progressMode(output.json), name, count, { unit: 'images' });
    try {
      const onProgress = (done: number) => progress.update(done);
      const measured = await evaluate({
        ...{ contestant, count, seed, prompts: captions ?? reference?.prompts ?? null, promptScorer, products },
        ...{ compared: reference && { space, reference }, onProgress, signal, ranks },
      });
      rows.push({ name, measured, reference: reference?.label ?? null });
      output.event('eval', {
        ...{ model: name, ...measured, count, seed, device: engine.device },
        ...{ reference: reference?.label ?? null, distanceName: reference && space.distanceName },
        ...{ promptScoreName: promptScorer?.name ?? null },
      });
    } finally {
      progress.end();
      await contestant.dispose();
    }
  }
  await dispose();
  await space.dispose();
  report(rows, options, space.distanceName, output);
}

interface Row {
  readonly name: string;
  readonly measured: Evaluation;
  readonly reference: string | null;
}

type Column = [title: string, cell: (row: Row) => string | null];

/** The paper's table, without the columns that nothing was measured for, and under it what the numbers are. */
function report(rows: readonly Row[], options: Opened, distanceName: string, output: Output): void {
  const { count, seed, engine, inception, resize, promptScorer } = options;
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  const parts = new Set(rows.flatMap(({ measured }) => Object.keys(measured.rightParts)));
  const columns: Column[] = [
    ['model', ({ name }) => name],
    ['calls', ({ measured }) => String(measured.calls)],
    ['ms per image', ({ measured }) => (1000 * measured.secondsPerImage).toFixed(1)],
    [distanceName, ({ measured }) => written(measured.distance, (value) => value.toFixed(2))],
    ['precision', ({ measured }) => written(measured.precision, (value) => value.toFixed(3))],
    ['recall', ({ measured }) => written(measured.recall, (value) => value.toFixed(3))],
    ['diversity', ({ measured }) => written(measured.diversity, (value) => value.toFixed(2))],
    ['right', ({ measured }) => written(measured.right, percent)],
    ...[...parts].map((part): Column => [part, ({ measured }) => written(measured.rightParts[part] ?? null, percent)]),
    [promptScorer?.name ?? '', ({ measured }) => written(measured.promptScore, (value) => value.toFixed(2))],
  ];
  const shown = columns.filter(([, cell]) => rows.some((row) => cell(row) !== null));
  const lines = rows.map((row) => shown.map(([, cell]) => cell(row) ?? '-'));
  for (const line of table([shown.map(([title]) => title), ...lines])) output.line(line);
  output.line();
  output.line(`${count} pictures per model, seeds from ${seed}; one image at a time on ${engine.device}`);
  const references = new Set(rows.flatMap(({ reference }) => reference ?? []));
  for (const label of references) output.line(`compared with ${label}`);
  if (inception && references.size > 0) {
    output.line(`${resize}: ${inceptionWays[resize].what}`);
    output.line('published numbers are of 50,000 pictures (COCO: 30,000); fewer give a larger distance');
  }
}

const written = (value: number | null, write: (value: number) => string) => (value === null ? null : write(value));

async function openPromptScorer(engine: Engine, folder: string) {
  const { openClipScorer } = await import('../../evaluate/clip-scorer.ts');
  return openClipScorer(engine, folder);
}
