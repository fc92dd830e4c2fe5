/** The expressions, presets for public code, and which sample is looked at. */
import {
  type ScoreExpressions,
  type ScoreRole,
  type ScoreSettings,
  scoreRoles,
} from '../../backend/protocol/panels/score-watch.ts';
import type { ScoreWatchTexts } from '../../backend/protocol/panels/score-watch-texts.ts';
import { scorePresets } from '../../backend/protocol/values/score-presets.ts';
import { element } from '../shared/dom.ts';
import { button } from '../shared/toolkit.ts';

export class ScoreForm {
  readonly root: HTMLElement;
  readonly #inputs: Record<ScoreRole, HTMLInputElement>;
  readonly #preset: HTMLSelectElement;
  readonly #sample: HTMLInputElement;
  readonly #frame: HTMLInputElement;
  readonly #follow: HTMLInputElement;
  readonly #details: HTMLDetailsElement;
  #settings: ScoreSettings | null = null;

  /** @param toggled the expressions were opened or closed */
  constructor(texts: ScoreWatchTexts, change: (settings: ScoreSettings) => void, toggled: (open: boolean) => void) {
    const titles = [
      ...[texts.roleX, texts.roleXt, texts.roleReal, texts.roleFake],
      ...[texts.roleWeight, texts.roleAlpha, texts.roleSigma],
    ];
    const hints: Partial<Record<ScoreRole, string>> = {
      weight: texts.weightHint,
      alpha: texts.levelHint,
      sigma: texts.levelHint,
    };
    const inputs = scoreRoles.map((role, i) => {
      const input = element('input', {
        ...{ type: 'text', class: 'number', spellcheck: 'false', maxlength: 10_000 },
        ...{ 'aria-label': titles[i]!, title: hints[role] ?? titles[i]! },
      });
      return [role, input] as const;
    });
    this.#inputs = Object.fromEntries(inputs) as Record<ScoreRole, HTMLInputElement>;
    const send = (settings: Partial<ScoreSettings>) => {
      if (this.#settings) change({ ...this.#settings, expressions: this.#expressions(), ...settings });
    };
    this.#preset = element(
      'select',
      { 'aria-label': texts.preset, onchange: () => this.#take(Number(this.#preset.value), send) },
      element('option', { value: -1 }, texts.presetChoose),
      ...scorePresets.map(({ name, where }, i) => element('option', { value: i, title: where }, name)),
    );
    const whole = (name: string) =>
      element('input', { type: 'number', min: 0, step: 1, class: 'number', 'aria-label': name });
    this.#sample = whole(texts.sample);
    this.#frame = whole(texts.frame);
    const indexed = () => send({ sample: index(this.#sample), frame: index(this.#frame) });
    for (const input of [this.#sample, this.#frame]) input.addEventListener('change', indexed);
    this.#follow = element('input', { type: 'checkbox', onchange: () => send({ follow: this.#follow.checked }) });
    const form: HTMLFormElement = element(
      'form',
      {
        class: 'expressions',
        onkeydown: (event: KeyboardEvent) => {
          if (event.key !== 'Enter' || event.isComposing || event.target === this.#preset) return;
          event.preventDefault();
          send({});
        },
      },
      ...inputs.map(([role, input], i) =>
        element('label', { 'data-role': role }, element('span', { class: 'muted' }, titles[i]!), input),
      ),
      element('label', {}, element('span', { class: 'muted' }, texts.preset), this.#preset),
      button({ onclick: () => send({}) }, texts.apply),
    );
    this.#details = element(
      'details',
      { ontoggle: () => toggled(this.#details.open) },
      element('summary', {}, texts.expressions),
      form,
    );
    this.root = element(
      'div',
      { class: 'score-form' },
      this.#details,
      element(
        'div',
        { class: 'choices' },
        element('label', {}, element('span', { class: 'muted' }, texts.sample), this.#sample),
        element('label', {}, element('span', { class: 'muted' }, texts.frame), this.#frame),
        element('label', { title: texts.followHint }, this.#follow, texts.follow),
      ),
    );
  }

  show(settings: ScoreSettings, isOpen: boolean): void {
    this.#settings = settings;
    for (const role of scoreRoles) this.#inputs[role].value = settings.expressions[role];
    this.#sample.value = String(settings.sample);
    this.#frame.value = String(settings.frame);
    this.#follow.checked = settings.follow;
    this.#details.open = isOpen;
  }

  #expressions(): ScoreExpressions {
    return Object.fromEntries(scoreRoles.map((role) => [role, this.#inputs[role].value.trim()])) as ScoreExpressions;
  }

  #take(index: number, send: (settings: Partial<ScoreSettings>) => void): void {
    const preset = scorePresets[index];
    this.#preset.value = '-1';
    if (!preset) return;
    for (const role of scoreRoles) this.#inputs[role].value = preset.expressions[role];
    send({});
  }
}

function index({ value }: HTMLInputElement): number {
  return Math.max(0, Math.trunc(Number(value)) || 0);
}
