/**
 * How near a generator's pictures come to real ones while it trains, by each average of its weights: curves over the steps, which say
 * what step and what average to keep.
 */
import type { Engine } from '../../engine/engine.ts';
import type { FeatureSpace } from '../../evaluate/feature-space.ts';
import type { Reference } from '../../evaluate/reference.ts';
import { ReferenceShelf } from '../../evaluate/shelf.ts';
import { openNamedSpace } from '../../evaluate/spaces.ts';
import { FeatureAccumulator } from '../../metrics/feature-statistics.ts';
import { frechetDistance } from '../../metrics/frechet.ts';
import type { Config, DistillConfig } from '../../protocol/config/index.ts';
import type { RunMessage } from '../../protocol/run-messages.ts';
import { isDue, type SampledPictures, type TrainingSession } from '../../training/session.ts';
import type { Scalars } from '../../training/trainer.ts';

/** `quality/fd`, or `quality/fd of ema 0.999` where averages are kept. */
const tagOf = (name: string, average: number | undefined) =>
  average === undefined ? `quality/${name}` : `quality/${name} of ema ${average}`;

/** Pictures between two questions whether to go on. */
const chunk = 64;

interface QualityParts {
  readonly engine: Engine;
  readonly pictures: SampledPictures;
  readonly report: (message: RunMessage) => void;
}

interface Opened {
  readonly space: FeatureSpace;
  readonly reference: Reference;
}

export class Quality {
  readonly #engine: Engine;
  readonly #pictures: SampledPictures;
  readonly #config: DistillConfig['record']['quality'];
  readonly #name: string;
  readonly #report: (message: RunMessage) => void;
  #opened: Promise<Opened> | undefined;

  private constructor(config: DistillConfig, { engine, pictures, report }: QualityParts) {
    this.#engine = engine;
    this.#pictures = pictures;
    this.#config = config.record.quality;
    this.#name = `the student of ${config.teacher}`;
    this.#report = report;
  }

  /** Null where nothing is to be measured, or nothing can be. Opens nothing yet. */
  static of(config: Config, engine: Engine, session: TrainingSession, report: QualityParts['report']): Quality | null {
    // Another method's section may have no such key.
    const { record } = config as Partial<DistillConfig>;
    if (config.kind !== 'distill' || !record?.quality?.every) return null;
    const { pictures } = session;
    if (pictures) return new Quality(config, { engine, pictures, report });
    const text = 'record.quality measures nothing: the samples of this run are no pictures';
    report({ type: 'note', level: 'warning', text });
    return null;
  }

  /**
   * Of the generator as it is after `step`, where that is due.
   * @param goesOn asked between two chunks of pictures; after false nothing comes of it
   * @returns by tag: the Frechet distance and, where somebody can tell, the share of pictures that show their class; {} where nothing
   *   was measured. Throws UserError: 'usage', 'weights', 'data', 'io'
   */
  async measure(step: number, iterations: number, goesOn: () => Promise<boolean>): Promise<Scalars> {
    if (!isDue(this.#config.every, step, iterations)) return {};
    this.#opened ??= this.#open();
    const { space, reference } = await this.#opened;
    const { averages } = this.#pictures;
    const { count } = this.#config;
    const kept = averages.length > 0 ? averages : [undefined];
    const found: Record<string, number> = {};
    for (const [k, average] of kept.entries()) {
      const accumulator = new FeatureAccumulator();
      let right = 0;
      for (let from = 0; from < count; from += chunk) {
        this.#say(k * count + from, kept.length * count);
        if (!(await goesOn())) return {};
        const indices = Array.from({ length: Math.min(chunk, count - from) }, (_, i) => from + i);
        const images = await this.#pictures.draw(indices, average);
        const features = await space.features(images);
        accumulator.add({ shape: [indices.length, space.dims], data: features });
        right += (await reference.right?.(images, this.#asked(indices)))?.all ?? 0;
      }
      const statistics = { count: 0, ...reference.statistics };
      found[tagOf('fd', average)] = frechetDistance(accumulator.statistics(), statistics);
      if (this.#readsClasses(reference)) found[tagOf('right', average)] = right / count;
    }
    this.#say(kept.length * count, kept.length * count);
    return found;
  }

  #say(done: number, total: number): void {
    this.#report({ type: 'work', label: 'quality', done, total, unit: 'pictures' });
  }

  /** Prompts of a run are not those of the reference, so that only classes can be right or wrong. */
  #readsClasses({ right }: Reference): boolean {
    return right !== null && this.#pictures.classes > 0;
  }

  #asked(indices: readonly number[]) {
    const { classes } = this.#pictures;
    return indices.map((index) => ({ index, class: classes > 0 ? index % classes : -1 }));
  }

  async #open(): Promise<Opened> {
    const { features, reference: path = null, count } = this.#config;
    const { shape: imageShape, classes, takesPrompts } = this.#pictures;
    const space = await openNamedSpace(this.#engine, features);
    try {
      const hasOwnData = features === 'scenes';
      const given = { path, count, captions: null, option: 'record.quality.reference' };
      const shelf = new ReferenceShelf({ space, isInception: false, hasOwnData, ...given });
      const reference = await shelf.referenceFor({ name: this.#name, imageShape, classes, takesPrompts });
      return { space, reference: reference! };
    } catch (error) {
      await space.dispose();
      throw error;
    }
  }

  async dispose(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    await opened?.space.dispose();
  }
}
