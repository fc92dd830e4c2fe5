/**
 * The safetensors page: which tensor is looked at, and how, is its state; whatever changes it asks for what is seen now. Of two
 * readings only the later counts.
 */
import {
  openFile,
  readHistogram,
  type SafetensorsState,
  type SafetensorsTexts,
  safetensorsStateSchema,
} from '../../backend/protocol/panels/safetensors.ts';
import { firstState, savePicture, type ValueState } from '../../backend/protocol/panels/value.ts';
import type { WeightsContent } from '../../backend/protocol/rpc/weights.ts';
import { statistic } from '../../backend/protocol/values/value.ts';
import { element, fillWith, setText } from '../shared/dom.ts';
import { bytes, count, number } from '../shared/format.ts';
import { type Host, isCancelled, wordsOf } from '../shared/host.ts';
import { fill } from '../shared/initial.ts';
import { button } from '../shared/toolkit.ts';
import { ArrayView, fileNameOf } from '../value/array-view.ts';
import { type Reading, read } from '../value/reading.ts';
import { histogramOf } from './histogram.ts';
import { ListView } from './list-view.ts';

const bins = 96;
/** What makes the numbers be counted anew. */
const renewing: readonly (keyof ValueState)[] = ['expression', 'shape'];
const onlyColours: readonly (keyof ValueState)[] = ['kind', 'channels', 'end'];

export class SafetensorsPage {
  readonly #host: Host;
  readonly #texts: SafetensorsTexts;
  readonly #file: string;
  readonly #list: ListView;
  readonly #array: ArrayView;
  readonly #summary = element('span', { class: 'muted' });
  readonly #failure = element('p', { class: 'failure error', role: 'alert', hidden: true });
  readonly #status = element('p', { class: 'muted', role: 'status' });
  readonly #histogram = element('div');
  readonly #metadata = element('details', { class: 'metadata', hidden: true });
  readonly #columns: HTMLElement;
  #state: SafetensorsState;
  #content: WeightsContent | null = null;
  #reading: Reading | null = null;
  #asked = new AbortController();

  constructor(host: Host, root: HTMLElement, texts: SafetensorsTexts, file: string) {
    this.#host = host;
    this.#texts = texts;
    this.#file = file;
    this.#state = host.load(safetensorsStateSchema) ?? { tensor: null, filter: '' };
    this.#list = new ListView(
      texts,
      (name) => this.#keep({ tensor: firstState(name) }, true),
      (filter) => this.#keep({ filter }),
    );
    this.#array = new ArrayView(
      texts,
      (change) => this.#change(change),
      () => void this.#save(),
    );
    const again = () => void this.start();
    this.#columns = element(
      'div',
      { class: 'columns', hidden: true },
      this.#list.root,
      element('div', { class: 'detail' }, this.#status, this.#histogram, this.#array.root, this.#metadata),
    );
    root.append(
      element(
        'div',
        { class: 'head' },
        element('h2', {}, file),
        this.#summary,
        button({ appearance: 'secondary', onclick: again }, texts.again),
      ),
      ...[this.#failure, this.#columns, this.#array.spoken],
    );
  }

  async start(): Promise<void> {
    const texts = this.#texts;
    setText(this.#summary, texts.opening);
    try {
      const content = await this.#host.request(openFile, {});
      this.#content = content;
      const numbers = content.tensors.reduce((all, { shape }) => all + shape.reduce((a, b) => a * b, 1), 0);
      setText(this.#summary, fill(texts.summary, count(content.tensors.length), count(numbers), bytes(content.bytes)));
      this.#failure.hidden = true;
      this.#columns.hidden = false;
      this.#showMetadata(content.metadata);
      const known = content.tensors.some(({ name }) => name === this.#state.tensor?.expression);
      const [first] = content.tensors;
      if (!known) this.#keep({ tensor: first ? firstState(first.name) : null });
      this.#list.show(content.tensors, this.#state.filter, this.#state.tensor?.expression ?? '');
      this.#reading = null;
      await this.#read();
    } catch (error) {
      setText(this.#summary, '');
      this.#columns.hidden = true;
      this.#fail(error);
    }
  }

  /** With the theme's colours as they are now. */
  redraw(): void {
    const { tensor } = this.#state;
    if (this.#reading && tensor) this.#array.show(this.#reading, tensor, { value: tensor.expression, other: '' });
  }

  #keep(change: Partial<SafetensorsState>, reads = false): void {
    this.#state = { ...this.#state, ...change };
    this.#host.save(this.#state);
    if (!reads) return;
    this.#reading = null;
    void this.#read();
  }

  #change(change: Partial<ValueState>): void {
    const before = this.#state.tensor;
    if (!before) return;
    const tensor = { ...before, ...change };
    this.#keep({ tensor });
    const changed = (Object.keys(change) as (keyof ValueState)[]).filter((key) => before[key] !== tensor[key]);
    if (changed.some((key) => renewing.includes(key))) this.#reading = null;
    if (changed.some((key) => !onlyColours.includes(key))) void this.#read();
    else this.redraw();
  }

  async #read(): Promise<void> {
    this.#asked.abort();
    const asked = new AbortController();
    this.#asked = asked;
    const { tensor } = this.#state;
    const told = this.#content?.tensors.find(({ name }) => name === tensor?.expression);
    const isEmpty = told?.shape.includes(0) ?? true;
    if (!tensor || isEmpty) return this.#showNothing(told ? fill(this.#texts.empty, told.name) : this.#texts.choose);
    setText(this.#status, this.#texts.reading);
    try {
      const isCounted = this.#reading !== null;
      const reading = await read(this.#host, tensor, this.#reading, asked.signal);
      if (asked.signal.aborted) return;
      this.#reading = reading;
      this.#failure.hidden = true;
      setText(this.#status, '');
      this.redraw();
      if (!isCounted) await this.#readHistogram(tensor.expression, reading, asked.signal);
    } catch (error) {
      if (asked.signal.aborted || isCancelled(error)) return;
      setText(this.#status, '');
      this.#fail(error);
    }
  }

  async #readHistogram(name: string, { value }: Reading, signal: AbortSignal): Promise<void> {
    const [low, high] = [statistic(value, 'min'), statistic(value, 'max')];
    if (!Number.isFinite(low)) return fillWith(this.#histogram);
    const { counts } = await this.#host.request(readHistogram, { name, low, high, bins }, signal);
    const most = counts.indexOf(Math.max(...counts));
    const near = low + ((most + 0.5) / bins) * (high - low);
    const all = counts.reduce((sum, one) => sum + one, 0);
    const texts = this.#texts;
    const spoken = fill(
      texts.histogramSpoken,
      count(all),
      number(low),
      number(high),
      count(counts[most]!),
      number(near),
    );
    fillWith(this.#histogram, histogramOf({ low, high, counts }, texts.histogram, spoken));
  }

  #showNothing(why: string): void {
    this.#reading = null;
    this.#array.root.hidden = true;
    fillWith(this.#histogram);
    setText(this.#status, why);
  }

  #showMetadata(metadata: WeightsContent['metadata']): void {
    const entries = Object.entries(metadata);
    this.#metadata.hidden = entries.length === 0;
    const rows = entries.flatMap(([key, value]) => [element('dt', { class: 'muted' }, key), element('dd', {}, value)]);
    fillWith(this.#metadata, element('summary', {}, this.#texts.metadata), element('dl', {}, ...rows));
  }

  #fail(error: unknown): void {
    this.#failure.hidden = false;
    setText(this.#failure, wordsOf(error));
  }

  async #save(): Promise<void> {
    const name = fileNameOf(`${this.#file.replace(/[.]safetensors$/, '')}-${this.#state.tensor?.expression ?? ''}`);
    const picture = { name, png: await this.#array.png() };
    await this.#host.request(savePicture, picture).catch((error) => this.#fail(error));
  }
}
