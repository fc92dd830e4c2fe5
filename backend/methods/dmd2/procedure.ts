/**
 * DMD2 as it is run (arXiv 2405.14867), stage by stage: the generator follows matching gradient and GAN loss; then fake score and
 * discriminator are updated several times on what it makes and on real images.
 */
import { type DeviceTensor, type Engine, type Feed, isDeviceTensor } from '../../engine/engine.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { HostTensors } from '../../models/conditions.ts';
import { levelFeeds, pointFeeds } from '../../models/diffusion-model.ts';
import { alone, type MicroBatches, microBatchesOf } from '../../ranks/ranks.ts';
import type { DrawPoint } from '../../training/draws.ts';
import { fedAs, type Iteration, type Scalars } from '../../training/iteration.ts';
import { type Chunks, disposeAll } from '../../training/network-state.ts';
import { TrainedNetwork } from '../../training/trained-network.ts';
import type { Adjustable } from '../../training/trainer.ts';
import type { RealImages } from '../common/real-source.ts';
import { isGuided, unconditionalName } from '../dmd/graphs.ts';
import { type Kept, keptOf, weightsOf } from '../dmd/kept.ts';
import { gradientBeyond, type MatchingOptions, type MatchingProcedure, uploadTeacher } from '../dmd/procedure.ts';
import { type Dmd2Draws, streamDmd2Draws } from './draws.ts';
import { callsOf, firstInput, noisedOnHost } from './few-steps.ts';
import { type Dmd2Shape, discriminatorReport, generatorReport, headGradient } from './graphs.ts';
import { compilePrograms, type Programs } from './programs.ts';
import { type AdjustedSettings, adjustableOf, adjusted, type Dmd2Settings } from './settings.ts';

export interface Dmd2Options extends Dmd2Shape, Omit<MatchingOptions, 'pairs' | 'start'> {
  /** Updates of fake score and discriminator per generator update; those past the first train on newly generated samples. */
  readonly fakeUpdates: number;
  /** Flat parameters that the trained networks start from; the discriminator's where there is one. */
  readonly start: MatchingOptions['start'] & { readonly discriminator: Float32Array | null };
  /** Null where nothing needs them. */
  readonly real: Pick<RealImages, 'batch'> | null;
  /** What a few-step generator's later steps are given. */
  readonly from: 'simulation' | 'data';
  /** Recorded draws in place of the seed's own streams. */
  readonly draws?: Dmd2Draws;
  settings(step: number): Dmd2Settings;
}

/** Samples on the device, and what they are of. */
interface Generated {
  readonly x: DeviceTensor;
  readonly conditions: HostTensors;
}

interface Networks {
  readonly generator: TrainedNetwork;
  readonly fake: TrainedNetwork;
  readonly discriminator: TrainedNetwork | null;
}

export class Dmd2Procedure implements MatchingProcedure {
  readonly networks: readonly TrainedNetwork[];
  readonly imagesPerStep: number;
  readonly recorded: readonly string[];
  readonly updatesPerStep: Readonly<Record<string, number>>;
  readonly adjustable: Adjustable;
  readonly generator: TrainedNetwork;
  readonly fake: TrainedNetwork;
  /** Null without a GAN loss. */
  readonly discriminator: TrainedNetwork | null;
  readonly teacher: Chunks;
  readonly ranks: Dmd2Options['ranks'];
  readonly #micros: MicroBatches;
  readonly #options: Kept<Dmd2Options>;
  readonly #draws: Dmd2Draws;
  readonly #programs: Programs;
  /** What guidance starts from, on the device; {} without. */
  readonly #unconditional: Readonly<Record<string, DeviceTensor>>;

  private constructor(
    engine: Engine,
    options: Kept<Dmd2Options>,
    teacherChunks: Chunks,
    programs: Programs,
    networks: Networks,
  ) {
    const { seed, student, teacher, conditions, accumulation, fakeUpdates } = options;
    this.#options = options;
    this.#programs = programs;
    this.#draws = options.draws ?? streamDmd2Draws(seed, student.shape, conditions);
    this.generator = networks.generator;
    this.fake = networks.fake;
    this.discriminator = networks.discriminator;
    this.networks = [this.generator, this.fake, ...(this.discriminator ? [this.discriminator] : [])];
    this.ranks = options.ranks;
    this.#micros = microBatchesOf(options.ranks ?? alone, accumulation);
    this.imagesPerStep = options.batch * this.#micros.of;
    this.updatesPerStep = { fake: fakeUpdates, discriminator: fakeUpdates };
    this.adjustable = adjustableOf(options, (step) => options.settings(step));
    this.recorded = [
      ...['x', 'xt', 'muReal', 'muFake', 'grad', 'z'],
      ...Object.keys(teacher.levels.numbers),
      ...conditions.recorded,
    ];
    this.teacher = teacherChunks;
    const guides = isGuided(options) ? (conditions.unconditional ?? {}) : {};
    this.#unconditional = Object.fromEntries(
      Object.entries(guides).map(([name, { shape, data }]) => [
        unconditionalName(name),
        engine.upload({ shape, data: data.slice() }),
      ]),
    );
  }

  static async create(engine: Engine, options: Dmd2Options): Promise<Dmd2Procedure> {
    const kept = keptOf(options);
    const { gan, real, emas, accumulation, ranks = alone, start } = options;
    if (gan && !(real && start.discriminator)) throw new Error('a GAN loss needs real images and a discriminator');
    const programs = await compilePrograms(engine, kept);
    const accumulates = microBatchesOf(ranks, accumulation).of > 1;
    const network = (name: string, layout: TrainedNetwork['layout'], from: Float32Array, decays: readonly number[]) =>
      TrainedNetwork.create(engine, { name, layout, start: from, emas: decays, accumulates, ranks });
    return new Dmd2Procedure(engine, kept, uploadTeacher(engine, options), programs, {
      generator: await network('generator', options.generator.layout, start.generator, emas),
      fake: await network('fake', options.fake.layout, start.fake, []),
      discriminator: gan && (await network('discriminator', gan.head.layout, start.discriminator!, [])),
    });
  }

  async iterate(it: Iteration): Promise<void> {
    const { generator, fake, discriminator } = this;
    const { first, count, of } = this.#micros;
    const { fakeUpdates } = this.#options;
    const micros = count * (1 + fakeUpdates);
    const images = new Map<number, Generated>();
    try {
      for (let done = 0; done < count; done++) {
        const micro = first + done;
        await it.begin(micro, done, micros);
        const conditions = await this.#generatorHalf(it);
        it.report(generatorReport, it.take('report'), 1 / of);
        await generator.accumulate(it.takeChunks('gradient'), 1 / of);
        images.set(micro, { x: it.take('x'), conditions });
      }
      const updated = { stage: 'generator update', norm: 'normGenerator', last: fakeUpdates < 2 };
      await it.update(generator, this.#settings(it.step).generator, updated);
      for (let update = 0; update < fakeUpdates; update++) {
        // Of several updates the last one's numbers are reported.
        const last = update === fakeUpdates - 1;
        const share = last ? 1 : 0;
        for (let done = 0; done < count; done++) {
          const micro = first + done;
          await it.begin(micro, count * (1 + update) + done, micros);
          const own = images.get(micro)!;
          if (update === 0) images.delete(micro);
          images.set(micro, await this.#fakeHalf(it, { step: it.step, micro, update }, own));
          it.report(discriminator ? discriminatorReport : ['lossFake'], it.take('report'), share / of);
          await fake.accumulate(it.takeChunks('gradient'), 1 / of);
          await discriminator?.accumulate(it.takeChunks(headGradient), 1 / of);
        }
        const settings = this.#settings(it.step);
        await it.update(fake, settings.fake, { stage: 'fake update', norm: 'normFake', share, last });
        if (!discriminator) continue;
        const told = { stage: 'discriminator update', norm: 'normDiscriminator', share, last };
        await it.update(discriminator, settings.discriminator, told);
      }
    } finally {
      const last = images.get(it.micro);
      if (last) it.put({ x: last.x, ...last.conditions });
      disposeAll([...images.values()].filter((of) => of !== last).map(({ x }) => x));
    }
  }

  /** Generate, diffuse, both scores, gradient, what the discriminator says, backward. @returns what the samples are of */
  async #generatorHalf(it: Iteration): Promise<HostTensors> {
    const { matching, gan: range, generatorWeight, guidance } = this.#settings(it.step);
    const { batch, gan, conditions, teacher, student } = this.#options;
    const at = { step: it.step, micro: it.micro, update: 0 };
    const { z, rows } = this.#draws.latents(at, batch);
    const few = student.calledAgain ? await this.#given(at, z, this.generator.parameters) : null;
    const of = few?.conditions ?? (await conditions.feeds(rows));
    const { indices, noise } = this.#draws.matching(at, batch, matching);
    it.put({ z, ...few?.feeds, ...of, ...levelFeeds(teacher.levels, indices), noise });
    if (isGuided(this.#options)) it.put({ guidance: scalar(guidance) });
    if (gan) {
      const told = this.#draws.gan('generator', at, batch, range);
      it.put({ ...levelFeeds(student.levels, told.indices, 'Gan'), noiseGan: told.noise });
      it.put({ ganWeight: scalar(generatorWeight) });
    }
    await it.stage('draw');
    await it.run(this.#programs.generator, {
      ...fedAs('generator', this.generator.parameters),
      ...this.#fed(this.fake.parameters, this.discriminator?.parameters),
      ...this.#unconditional,
    });
    it.free('xtGan', 'logitsGan', 'divergenceWeight', 'xIn');
    return it.onHostNow(Object.keys(of));
  }

  #fed(fake: Chunks, discriminator: Chunks = []) {
    return {
      ...fedAs('fake', fake),
      ...fedAs('discriminator', discriminator),
      ...fedAs('teacher', this.teacher),
    };
  }

  /**
   * The denoising loss of the fake score, and the discriminator's, on samples taken as data; the first update trains on the generator's
   * own. @returns those, as they are now
   */
  async #fakeHalf(it: Iteration, at: DrawPoint, own: Generated): Promise<Generated> {
    const { student, batch, gan } = this.#options;
    const { levels } = student;
    const { x, conditions } = at.update === 0 ? own : await this.#freshSamples(at);
    const { indices, noise } = this.#draws.fake(at, batch, { first: 0, last: levels.count - 1 });
    it.put({ x, ...conditions, ...levelFeeds(levels, indices, 'Fake'), noiseFake: noise });
    if (gan) it.put(await this.#told(at));
    await it.stage('fake-score draw');
    await it.run(this.#programs.fake, this.#fed(this.fake.latest, this.discriminator?.latest));
    it.free('xtFake', 'denoisedFake', 'xtOfFake', 'xtOfReal', 'logitsOfFake', 'logitsOfReal', 'xReal', 'noiseR1');
    const now = it.take('x');
    if (at.update === 0) return { x: now, conditions };
    now.dispose();
    return own;
  }

  /** What is told apart: real images, and noise for either kind. */
  async #told(at: DrawPoint): Promise<HostTensors> {
    const { batch, gan, student, real } = this.#options;
    const { gan: range, discriminatorWeight } = this.#settings(at.step);
    const [fake, genuine] = [this.#draws.gan('fake', at, batch, range), this.#draws.gan('real', at, batch, range)];
    const { x, conditions } = await real!.batch(at, batch, 'told');
    const ofReal = Object.entries(conditions).map(([name, value]) => [`${name}Real`, value] as const);
    return {
      ...{ xReal: x, ...Object.fromEntries(ofReal) },
      ...{ ...levelFeeds(student.levels, fake.indices, 'OfFake'), noiseOfFake: fake.noise },
      ...{ ...levelFeeds(student.levels, genuine.indices, 'OfReal'), noiseOfReal: genuine.noise },
      ...(gan!.r1 ? { noiseR1: this.#draws.beside(at, batch) } : {}),
      discriminatorWeight: scalar(discriminatorWeight),
    };
  }

  async #freshSamples(at: DrawPoint): Promise<Generated> {
    const { batch, student } = this.#options;
    const { z, rows } = this.#draws.latents(at, batch);
    const few = student.calledAgain ? await this.#given(at, z, this.generator.latest) : null;
    const conditions = few?.conditions ?? (await this.#options.conditions.feeds(rows));
    const feeds = few?.feeds ?? { z };
    try {
      const { x } = await this.#programs.fresh!.run({
        ...feeds,
        ...conditions,
        ...this.#called(this.generator.latest),
      });
      return { x: x!, conditions };
    } finally {
      disposeAll(Object.values(feeds).filter(isDeviceTensor));
    }
  }

  #called(generator: Chunks) {
    return { ...fedAs('generator', generator), ...fedAs('teacher', this.teacher) };
  }

  /**
   * What a few-step generator is called on: pure noise, or, for a later one of its steps, noise on images of its own (as they are when it
   * is sampled: without gradient, step by step) or on real ones.
   * @returns xIn and its level; conditions of the samples where they are not those drawn with z
   */
  async #given(
    at: DrawPoint,
    z: TensorData,
    generator: Chunks,
  ): Promise<{ readonly feeds: Readonly<Record<string, Feed>>; readonly conditions?: HostTensors }> {
    const { student, batch, from, real } = this.#options;
    const calls = callsOf(student);
    const call = this.#draws.call(at, calls.length);
    const level = (i: number, suffix: string) => pointFeeds(student.levels, calls[i]!, batch, suffix);
    const first = firstInput(z, student);
    if (call === 0) return { feeds: { xIn: first, ...level(0, 'In') } };
    if (from === 'data') {
      const { x, conditions } = await real!.batch(at, batch, 'given');
      const xIn = noisedOnHost(x, this.#draws.again(at, call - 1, batch), calls[call]!);
      return { feeds: { xIn, ...level(call, 'In') }, conditions };
    }
    const conditions = await this.#options.conditions.feeds(this.#draws.latents(at, batch).rows);
    let xIn: Feed = first;
    for (let i = 0; i < call; i++) {
      const again = this.#draws.again(at, i, batch);
      const feeds = { xIn, ...conditions, ...level(i, 'In'), again, ...level(i + 1, 'Next') };
      const before: Feed = xIn;
      const { xNext } = await this.#programs.next!.run({ ...feeds, ...this.#called(generator) });
      if (isDeviceTensor(before)) before.dispose();
      xIn = xNext!;
    }
    return { feeds: { xIn, ...level(call, 'In') }, conditions };
  }

  async reconstruct(it: Iteration, micro: number): Promise<void> {
    await it.begin(micro, 0, 1);
    await this.#generatorHalf(it);
  }

  /** Asked for where they are used, so that a change between two stages counts from then on. */
  #settings(step: number): AdjustedSettings {
    return adjusted(this.#options, this.adjustable, this.#options.settings(step));
  }

  async otherGradient(engine: Engine, step: number, which: number): Promise<Chunks> {
    return gradientBeyond(this, engine, step, which);
  }

  async generatorWeights(decay?: number): Promise<Map<string, TensorData>> {
    return weightsOf(this, this.#options, decay);
  }

  rates(step: number): Scalars {
    const { generator, fake, discriminator, generatorWeight, discriminatorWeight, matching } = this.#settings(step);
    return {
      ...{ 'rate/generator': generator.learningRate, 'rate/fake': fake.learningRate },
      ...(this.discriminator ? { 'rate/discriminator': discriminator.learningRate } : {}),
      ...(this.discriminator ? { 'gan/generator-weight': generatorWeight } : {}),
      ...(this.discriminator ? { 'gan/discriminator-weight': discriminatorWeight } : {}),
      ...{ 'level/first': matching.first, 'level/last': matching.last },
    };
  }

  async dispose(): Promise<void> {
    disposeAll([...this.teacher, ...Object.values(this.#unconditional)]);
    for (const program of Object.values(this.#programs)) await program?.dispose();
  }
}

const scalar = (value: number): TensorData => ({ shape: [], data: Float32Array.of(value) });
