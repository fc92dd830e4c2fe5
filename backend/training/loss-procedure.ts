/**
 * One set of parameters trained on one loss: what `dmd teach` runs, whatever it teaches. A task brings the loss as a graph and the
 * draws of each micro-batch.
 */
import type { Engine } from '../engine/engine.ts';
import type { Sharing } from '../engine/sharing.ts';
import type { Graph } from '../graph/graph.ts';
import { type ParameterLayout, unpackParameters } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { alone, type MicroBatches, microBatchesOf, type Ranks } from '../ranks/ranks.ts';
import { fedAs, type Iteration, type Scalars } from './iteration.ts';
import { adjustableUpdate, adjustedUpdate } from './schedule.ts';
import { type Stage, StagedProgram } from './staged-program.ts';
import { TrainedNetwork } from './trained-network.ts';
import { type Adjustable, type Procedure, Trainer } from './trainer.ts';
import type { UpdateSettings } from './update-graph.ts';

export type Feeds = Readonly<Record<string, TensorData>>;

export interface LossTask {
  /** Names the state and the curves: `loss/NAME`, `norm/NAME`, `rate/NAME`. */
  readonly name: string;
  readonly layout: ParameterLayout;
  /** Where training begins: flat, as in the layout. */
  readonly parameters: Float32Array;
  /** Decays of the averages that are kept. */
  readonly emas: readonly number[];
  /** Inputs: `parameters` and what `draws` gives. Outputs: `loss` [1], `gradient` and whatever `terms` names, each [1]. */
  readonly graph: Graph;
  readonly sharing?: Sharing | undefined;
  /** Another graph of the same loss for the first `steps` updates, e.g. of smaller images. */
  readonly early?: { readonly graph: Graph; readonly sharing?: Sharing; readonly steps: number } | undefined;
  /** Parts of the loss that are recorded too: output of the graph -> tag. */
  readonly terms?: Readonly<Record<string, string>>;
  /** Images per program run. */
  readonly batch: number;
  /** Micro-batches per update, on each rank. */
  readonly accumulation: number;
  readonly ranks?: Ranks | undefined;
  /** A pure function of (step, micro-batch). */
  draws(step: number, micro: number): Promise<Feeds>;
  /** Settings of the update with number `step` (1 for the first): where warm-up and decay live. */
  settings(step: number): UpdateSettings;
  /** Steps whose parameter gradient is kept until the next one; none unless given. */
  readonly keepsGradients?: ((step: number) => boolean) | undefined;
}

export async function createLossTrainer(engine: Engine, task: LossTask): Promise<Trainer> {
  return new Trainer(engine, await LossProcedure.create(engine, task), task.keepsGradients);
}

class LossProcedure implements Procedure {
  readonly networks: readonly TrainedNetwork[];
  readonly imagesPerStep: number;
  recorded: readonly string[] = [];
  readonly adjustable: Adjustable;
  readonly ranks: Ranks | undefined;
  readonly #micros: MicroBatches;
  readonly #task: LossTask;
  readonly #network: TrainedNetwork;
  readonly #loss: StagedProgram;
  readonly #early: StagedProgram | null;

  private constructor(task: LossTask, network: TrainedNetwork, loss: StagedProgram, early: StagedProgram | null) {
    this.#task = task;
    this.#network = network;
    this.#loss = loss;
    this.#early = early;
    this.networks = [network];
    this.ranks = task.ranks;
    this.#micros = microBatchesOf(task.ranks ?? alone, task.accumulation);
    this.imagesPerStep = task.batch * this.#micros.of;
    const natural = (step: number) => adjustableUpdate('optimizer', task.settings(step));
    this.adjustable = { natural, overrides: new Map() };
  }

  static async create(engine: Engine, task: LossTask): Promise<LossProcedure> {
    const { name, layout, parameters: start, emas, early, accumulation, ranks = alone, terms = {} } = task;
    const stages: Stage[] = [
      ['loss', ['loss', ...Object.keys(terms)]],
      ['backward', ['gradient']],
    ];
    const compile = (what: string, of: Pick<LossTask, 'graph' | 'sharing'>) =>
      StagedProgram.compile(engine, { ...{ name: `${name} ${what}`, stages }, graph: of.graph, sharing: of.sharing });
    const accumulates = microBatchesOf(ranks, accumulation).of > 1;
    const [loss, first, network] = await Promise.all([
      compile('loss', task),
      early ? compile('early loss', early) : null,
      TrainedNetwork.create(engine, { name, layout, start, emas, accumulates, ranks }),
    ]);
    return new LossProcedure(task, network, loss, first);
  }

  async iterate(it: Iteration): Promise<void> {
    const { name, terms = {}, early } = this.#task;
    const { first, count, of } = this.#micros;
    const program = it.step <= (early?.steps ?? 0) ? this.#early! : this.#loss;
    for (let done = 0; done < count; done++) {
      await it.begin(first + done, done, count);
      await this.#draw(it);
      await it.stage('draw');
      await it.run(program, fedAs('parameters', this.#network.parameters));
      for (const [output, tag] of Object.entries({ loss: `loss/${name}`, ...terms })) {
        it.report([tag], it.take(output), 1 / of);
      }
      await this.#network.accumulate(it.takeChunks('gradient'), 1 / of);
    }
    await it.update(this.#network, this.#settings(it.step), { stage: 'update', norm: `norm/${name}`, last: true });
  }

  #settings(step: number): UpdateSettings {
    return adjustedUpdate('optimizer', this.#task.settings(step), this.adjustable.overrides);
  }

  async #draw(it: Iteration): Promise<void> {
    const draws = await this.#task.draws(it.step, it.micro);
    this.recorded = Object.keys(draws);
    it.put(draws);
  }

  async reconstruct(it: Iteration, micro: number): Promise<void> {
    await it.begin(micro, 0, 1);
    await this.#draw(it);
  }

  rates(step: number): Scalars {
    return { [`rate/${this.#task.name}`]: this.#settings(step).learningRate };
  }

  async dispose(): Promise<void> {
    await this.#loss.dispose();
    await this.#early?.dispose();
  }
}

/** The averaged weights of the one network by parameter name: what was taught. */
export async function averagedWeights(
  { networks: [network] }: Trainer,
  decay?: number,
): Promise<Map<string, TensorData>> {
  const flats = await Promise.all(network!.average(decay).map(async (chunk) => (await chunk.read()).slice()));
  return unpackParameters(network!.layout, flats);
}
