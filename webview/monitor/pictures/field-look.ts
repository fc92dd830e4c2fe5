/** How score fields are looked at: which kind, which channel, on whose scale. */
import type { MonitorState } from '../../../backend/protocol/panels/monitor.ts';
import type { MonitorTexts } from '../../../backend/protocol/panels/monitor-texts.ts';
import type { FieldKindName } from '../../../backend/protocol/rpc/runs.ts';
import { element, fillWith } from '../../shared/dom.ts';
import { fill } from '../../shared/initial.ts';
import type { FieldSet } from './fields.ts';
import { kindTitle } from './names.ts';

type Look = MonitorState['fields'];

export class FieldLook {
  readonly root: HTMLElement;
  readonly #texts: MonitorTexts;
  readonly #kind: HTMLSelectElement;
  readonly #channel: HTMLSelectElement;
  readonly #perLevel: HTMLInputElement;
  readonly #perLevelField: HTMLElement;

  /** @param whole shows whole pictures again */
  constructor(texts: MonitorTexts, change: (change: Partial<Look>) => void, whole: () => void) {
    this.#texts = texts;
    this.#kind = element('select', {
      onchange: () => change({ kind: this.#kind.value as FieldKindName, image: 0 }),
    });
    this.#channel = element('select', { onchange: () => change({ channel: Number(this.#channel.value) }) });
    this.#perLevel = element('input', {
      type: 'checkbox',
      onchange: () => change({ perLevel: this.#perLevel.checked }),
    });
    this.#perLevelField = element(
      'label',
      { class: 'field', title: texts.perLevelHint },
      this.#perLevel,
      element('span', {}, texts.perLevel),
    );
    this.root = element(
      'div',
      { class: 'bar' },
      ...[field(texts.kind, this.#kind), field(texts.channel, this.#channel), this.#perLevelField],
      element('button', { class: 'plain text', title: texts.zoomHint, onclick: whole }, texts.wholePicture),
    );
  }

  show({ channel, perLevel }: Look, fields: FieldSet): void {
    this.#showChannels(channel, fields.channels);
    this.#perLevel.checked = perLevel;
    this.#perLevelField.hidden = !fields.perLevel;
  }

  showKinds(there: readonly FieldKindName[], chosen: FieldKindName): void {
    const key = there.join();
    if (this.#kind.dataset.kinds !== key) {
      this.#kind.dataset.kinds = key;
      const options = there.map((kind) => element('option', { value: kind }, kindTitle(this.#texts, kind)));
      fillWith(this.#kind, ...options);
    }
    this.#kind.value = chosen;
  }

  #showChannels(chosen: number, channels: number): void {
    const texts = this.#texts;
    const names =
      channels === 3
        ? [texts.channelRed, texts.channelGreen, texts.channelBlue]
        : Array.from({ length: channels }, (_, i) => fill(texts.channelNumber, i + 1));
    if (this.#channel.childElementCount !== channels + 1) {
      const options = [texts.channelMean, ...names].map((name, i) => element('option', { value: i - 1 }, name));
      fillWith(this.#channel, ...options);
    }
    this.#channel.value = String(Math.min(chosen, channels - 1));
  }
}

export function field(title: string, control: HTMLElement): HTMLElement {
  return element('label', { class: 'field' }, element('span', { class: 'muted' }, title), control);
}
