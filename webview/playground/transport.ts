/** Play, pause, step, reset, how fast; and how far the run is. */
import { apply, element, icon, setText } from '../shared/dom.ts';
import { icons } from '../shared/icons.ts';
import { fill } from '../shared/initial.ts';
import { labelled, select } from './fields.ts';
import type { Playground } from './playground.ts';

const speeds = ['10', '50', '200', '500', 'most'] as const;

export class Transport {
  readonly root: HTMLElement;
  readonly #playground: Playground;
  readonly #play: HTMLButtonElement;
  readonly #buttons: Record<'step' | 'ten' | 'reset' | 'finish' | 'monitor' | 'config', HTMLButtonElement>;
  readonly #speed: HTMLSelectElement;
  readonly #step = element('output', { class: 'number', 'data-testid': 'step' });
  readonly #status = element('p', { class: 'small status', role: 'status', 'data-testid': 'status' });

  constructor(playground: Playground, open: { monitor(): void; config(): void }) {
    this.#playground = playground;
    const { texts } = playground;
    this.#play = element('button', {
      ...{ class: 'plain framed main', 'data-testid': 'play' },
      onclick: () => void (playground.isPlaying ? playground.pause() : playground.play()),
    });
    const button = (text: string, title: string, onclick: () => void, path?: string) =>
      element('button', { class: 'plain framed', onclick, title }, path ? icon(path) : null, text);
    this.#buttons = {
      step: button(texts.step, texts.step, () => void playground.play(1), icons.next),
      ten: button(texts.tenSteps, texts.tenSteps, () => void playground.play(10), icons.nextRecorded),
      reset: button(texts.reset, texts.targetHint, () => void playground.reset(), icons.first),
      finish: button(texts.finish, texts.finishHint, () => void playground.finish(), icons.save),
      monitor: button(texts.monitor, texts.monitor, open.monitor),
      config: button(texts.config, texts.config, open.config),
    };
    const names = speeds.map((speed) => [speed, speed === 'most' ? texts.speedMost : fill(texts.speedOf, speed)]);
    this.#speed = select<(typeof speeds)[number]>(Object.fromEntries(names), (speed) => {
      void playground.setSpeed(speed === 'most' ? null : Number(speed));
    });
    this.#speed.dataset.testid = 'speed';
    const { step, ten, reset, finish, monitor, config } = this.#buttons;
    this.root = element(
      'div',
      { class: 'transport' },
      element('div', { class: 'row' }, this.#play, step, ten, reset, labelled(texts.speed, this.#speed), this.#step),
      element('div', { class: 'row' }, finish, monitor, config, this.#status),
    );
  }

  update(): void {
    const { record, busy, isPlaying, isAlive, isOther, texts, perSecond } = this.#playground;
    const text = isPlaying ? texts.pause : texts.play;
    this.#play.replaceChildren(icon(isPlaying ? icons.pause : icons.play), text);
    this.#play.disabled = busy;
    this.#buttons.step.disabled = this.#buttons.ten.disabled = busy || isPlaying;
    this.#buttons.reset.disabled = busy || record === null;
    this.#buttons.finish.disabled = busy || !isAlive || isOther;
    this.#buttons.monitor.disabled = this.#buttons.config.disabled = record === null;
    this.#speed.value = perSecond === null ? 'most' : String(perSecond);
    setText(this.#step, record ? fill(texts.iteration, this.#playground.step, record.iterations) : '');
    const [status, isError] = this.#words();
    apply(this.#status, { class: isError ? 'small status error' : 'small status muted' });
    setText(this.#status, status);
  }

  #words(): [string, boolean] {
    const { record, busy, message, isError, isAlive, texts } = this.#playground;
    if (message && isError) return [message, true];
    if (busy) return [texts.starting, false];
    if (record?.state === 'failed') return [fill(texts.failed, record.error?.message ?? ''), true];
    if (record?.work) return [fill(texts.work, record.work.label, record.work.done, record.work.total), false];
    if (record && !isAlive) return [texts.ended, false];
    if (message) return [message, false];
    return [record ? '' : texts.idle, false];
  }
}
