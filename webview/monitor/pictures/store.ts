/** What pictures are made of, by run and step, for every view of them: samples, fields, and how far all recorded fields go. */
import { readCaptions, readFieldRanges, readFields, readSamples } from '../../../backend/protocol/panels/monitor.ts';
import type { Captions, FieldKindName, Fields } from '../../../backend/protocol/rpc/runs.ts';
import { Topic } from '../../shared/topic.ts';
import type { RunData } from '../data/run-data.ts';
import { atOrBefore, merged } from '../data/steps.ts';
import type { Monitor } from '../monitor.ts';
import { type Decoded, decodeFields } from './decoded.ts';
import { type FieldSet, readFieldSet, type SignedField } from './fields.ts';
import { Scales } from './scale.ts';
import { StepCache, type StepKey } from './step-cache.ts';

export interface Samples {
  readonly url: string;
  readonly blob: Blob;
}

const fieldBytes = 96e6;
const sampleBytes = 48e6;
const decodedBytes = 64e6;
/** Ranges of steps that are recorded meanwhile are asked for at most this often. */
const rangesMilliseconds = 1000;

export const kinds = ['probe', 'training', 'stop'] as const;

export class PictureStore {
  readonly fields: StepCache<FieldSet>;
  readonly samples: StepCache<Samples>;
  /** Of latents; asked for by an image of fields that are there (decodedKey). */
  readonly decoded: StepCache<Decoded>;
  /** Something is there that was not, or cannot be had. */
  readonly onChange = new Topic();
  readonly #monitor: Monitor;
  readonly #scales = new Scales();
  /** By group: up to which recorded step was asked. */
  readonly #asked = new Map<string, number>();
  /** By folder, with how many samples there were when they were asked for: a checkpoint may have come with the next. */
  readonly #captions = new Map<string, { readonly recorded: number; captions?: Captions }>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(monitor: Monitor) {
    this.#monitor = monitor;
    const { host } = monitor;
    this.fields = new StepCache<FieldSet>({
      limitBytes: fieldBytes,
      bytes: ({ bytes }) => bytes,
      load: async ({ folder, what, step }, signal) =>
        readFieldSet(await host.request(readFields, { folder, kind: what as FieldKindName, step }, signal)),
    });
    this.samples = new StepCache<Samples>({
      limitBytes: sampleBytes,
      bytes: ({ blob }) => blob.size,
      release: ({ url }) => URL.revokeObjectURL(url),
      load: async ({ folder, step }, signal) => {
        const { png } = await host.request(readSamples, { folder, step }, signal);
        const blob = new Blob([new Uint8Array(png)], { type: 'image/png' });
        return { url: URL.createObjectURL(blob), blob };
      },
    });
    this.decoded = new StepCache<Decoded>({
      limitBytes: decodedBytes,
      bytes: ({ bytes }) => bytes,
      load: async ({ folder, what, step }, signal) => {
        const [kind, image] = what.split(' ');
        const fields = this.fields.get({ folder, what: kind!, step });
        if (!fields) throw new Error('the latents are gone');
        return decodeFields(host, folder, fields, Number(image), signal);
      },
    });
    for (const cache of [this.fields, this.samples, this.decoded]) cache.onChange.on(() => this.onChange.fire());
  }

  /** The probe of a step that was just done. */
  live(folder: string, fields: Fields): void {
    this.fields.put({ folder, what: fields.kind, step: fields.step }, readFieldSet(fields));
  }

  /** A run went back: what is kept of it is void. */
  forget(folder: string): void {
    this.fields.forget(folder);
    this.samples.forget(folder);
    this.decoded.forget(folder);
    this.#captions.delete(folder);
    for (const kind of kinds) {
      const group = groupOf(folder, kind);
      this.#scales.forget(group);
      this.#asked.delete(group);
    }
    this.onChange.fire();
  }

  /** Kinds of fields that a run has, recorded or seen live. */
  kinds(run: RunData): FieldKindName[] {
    return kinds.filter((kind) => this.steps(run, kind).length > 0);
  }

  /** The kind that was chosen, or one that there is. */
  kindOf(run: RunData): FieldKindName {
    const { kind } = this.#monitor.state.fields;
    const there = kinds.filter((other) => run.recorded(other).length > 0);
    return there.length === 0 || there.includes(kind) ? kind : there[0]!;
  }

  /** Steps that can be shown, ascending. */
  steps(run: RunData, kind: FieldKindName): readonly number[] {
    return merged(run.recorded(kind), this.fields.steps(run.folder, kind));
  }

  samplesKey(run: RunData, step: number): StepKey | undefined {
    return keyOf(run, 'samples', atOrBefore(run.recorded('samples'), step));
  }

  fieldsKey(run: RunData, step: number): StepKey | undefined {
    const kind = this.kindOf(run);
    return keyOf(run, kind, atOrBefore(this.steps(run, kind), step));
  }

  /** What recorded images are of and come from; undefined until it is known. */
  captions(run: RunData): Captions | undefined {
    const recorded = run.recorded('samples').length;
    const known = this.#captions.get(run.folder);
    if (run.loaded && known?.recorded !== recorded) void this.#readCaptions(run.folder, recorded, known?.captions);
    return known?.captions;
  }

  /** @param image of the probe; of a batch, the first of the columns that are shown */
  decodedKey(run: RunData, { kind, step }: FieldSet, image: number): StepKey {
    return { folder: run.folder, what: `${kind} ${image}`, step };
  }

  /**
   * Where the colours end that all recorded steps of a run have in common; of a run that recorded none, those of what is shown.
   * @param level a column of the probe: its own scale
   */
  end(run: RunData, shown: FieldSet, name: SignedField, level?: number): number {
    const kind = shown.kind;
    this.#wantRanges(run, kind);
    const end = this.#scales.end(groupOf(run.folder, kind), name, run.recorded(kind), level);
    return end || shown.quantile(name, level) || 1;
  }

  /** What was recorded is asked for at once, what comes in a run that works now and then. */
  #wantRanges(run: RunData, kind: FieldKindName): void {
    const group = groupOf(run.folder, kind);
    const newest = run.recorded(kind).at(-1) ?? -1;
    const asked = this.#asked.get(group);
    if (newest <= (asked ?? -1) || this.#timers.has(group)) return;
    const ask = () => {
      this.#timers.delete(group);
      this.#asked.set(group, newest);
      void this.#readRanges(run.folder, kind);
    };
    if (asked === undefined) ask();
    else this.#timers.set(group, setTimeout(ask, rangesMilliseconds));
  }

  async #readCaptions(folder: string, recorded: number, before: Captions | undefined): Promise<void> {
    const asked = { recorded, ...(before ? { captions: before } : {}) };
    this.#captions.set(folder, asked);
    try {
      const captions = await this.#monitor.host.request(readCaptions, { folder });
      if (this.#captions.get(folder) !== asked) return;
      this.#captions.set(folder, { recorded, captions });
      this.onChange.fire();
    } catch {
      // A run without a config has none.
    }
  }

  async #readRanges(folder: string, kind: FieldKindName): Promise<void> {
    const group = groupOf(folder, kind);
    const from = this.#scales.last(group) + 1;
    try {
      this.#scales.learn(group, await this.#monitor.host.request(readFieldRanges, { folder, kind, from }));
      this.onChange.fire();
    } catch {
      // Until the next recorded step asks again, what is not known does not count.
    }
  }
}

function groupOf(folder: string, kind: FieldKindName): string {
  return `${folder} ${kind}`;
}

function keyOf({ folder }: RunData, what: string, step: number | undefined): StepKey | undefined {
  return step === undefined ? undefined : { folder, what, step };
}
