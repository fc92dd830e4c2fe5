/** What a person sets: Figure 3's cases, the target, the loss and its rates. */

import { matchingWeights } from '../../backend/protocol/config/matching-keys.ts';
import type { LossSettings, PlaygroundLoss } from '../../backend/protocol/panels/playground-settings.ts';
import { apply, element } from '../shared/dom.ts';
import { choice, labelled, NumberInput, select } from './fields.ts';
import type { Tool } from './plane-view.ts';
import type { Playground } from './playground.ts';
import { cleared, nameOf, type TargetName, targets } from './targets.ts';

export class SettingsView {
  readonly root: HTMLElement;
  readonly #playground: Playground;
  readonly #target: HTMLSelectElement;
  readonly #tools: ReturnType<typeof choice<Tool>>;
  readonly #loss: ReturnType<typeof choice<PlaygroundLoss>>;
  readonly #weight: HTMLSelectElement;
  readonly #numbers: readonly (readonly [NumberInput, () => number])[];
  readonly #other = element('p', { class: 'small note', role: 'status', 'data-testid': 'other' });

  constructor(playground: Playground, useTool: (tool: Tool) => void) {
    this.#playground = playground;
    const { texts } = playground;
    const losses = () => playground.settings.losses;
    const target = () => playground.settings.target;
    const set = (change: Partial<LossSettings>) => void playground.setLosses(change);
    this.#target = select<TargetName | 'drawn'>(
      {
        two: texts.targetTwo,
        ring: texts.targetRing,
        grid: texts.targetGrid,
        moons: texts.targetMoons,
        drawn: texts.targetDrawn,
      },
      (name) => {
        if (name === 'drawn') return this.#use('draw', useTool);
        playground.setTarget(targets[name], name);
      },
    );
    this.#target.dataset.testid = 'target';
    this.#tools = choice<Tool>(
      'tool',
      texts.tools,
      { look: texts.toolLook, draw: texts.toolDraw, start: texts.toolStart },
      useTool,
    );
    this.#loss = choice<PlaygroundLoss>(
      'loss',
      texts.lossTitle,
      { real: texts.lossReal, difference: texts.lossDifference, regression: texts.lossRegression },
      (loss) => set({ loss }),
    );
    const weights = Object.fromEntries(matchingWeights.map((name) => [name, name])) as Record<
      LossSettings['weight'],
      string
    >;
    this.#weight = select(weights, (weight) => set({ weight }));
    this.#weight.dataset.testid = 'weight';
    const std = new NumberInput('std', [0.01, 1], (value) => {
      const { stds: _, ...rest } = target();
      playground.setTarget({ ...rest, std: value });
    });
    const seed = new NumberInput('seed', [0, 2 ** 31], (value) => playground.setSeed(value), true);
    const lambda = new NumberInput('lambda', [0, 1000], (value) => set({ lambda: value }));
    const generator = new NumberInput('generatorRate', [0, 1], (value) => set({ generatorRate: value }));
    const fake = new NumberInput('fakeRate', [0, 1], (value) => set({ fakeRate: value }));
    const sigmaMax = new NumberInput('sigmaMax', [0.03, 80], (value) => set({ sigmaMax: value }));
    this.#numbers = [
      [std, () => target().std],
      [seed, () => playground.settings.seed],
      [lambda, () => losses().lambda],
      [generator, () => losses().generatorRate],
      [fake, () => losses().fakeRate],
      [sigmaMax, () => losses().sigmaMax],
    ];
    this.root = element(
      'div',
      { class: 'settings' },
      section(texts.figure3, element('p', { class: 'muted small' }, texts.figure3Hint), this.#cases()),
      section(
        texts.target,
        labelled(texts.target, this.#target),
        this.#tools.root,
        element(
          'div',
          { class: 'row' },
          element('button', { class: 'plain framed', onclick: () => this.#clear(useTool) }, texts.clear),
        ),
        element('p', { class: 'muted small', id: 'draw-hint' }, texts.drawHint),
        element('div', { class: 'pair' }, labelled(texts.modeWidth, std.root), labelled(texts.seed, seed.root)),
        this.#other,
      ),
      section(
        texts.lossTitle,
        this.#loss.root,
        element(
          'div',
          { class: 'pair' },
          labelled(texts.weight, this.#weight),
          labelled(texts.lambda, lambda.root),
          labelled(texts.generatorRate, generator.root),
          labelled(texts.fakeRate, fake.root),
          labelled(texts.sigmaMax, sigmaMax.root),
        ),
        element('p', { class: 'muted small' }, texts.lossHint),
      ),
    );
  }

  update(): void {
    const { settings, isOther, record, texts } = this.#playground;
    this.#target.value = nameOf(settings.target);
    this.#loss.show(settings.losses.loss);
    this.#weight.value = settings.losses.weight;
    for (const [input, value] of this.#numbers) input.show(value());
    const text = isOther && record ? texts.newTarget : '';
    if (this.#other.textContent !== text) this.#other.textContent = text;
    apply(this.#other, { hidden: text === '' });
  }

  showTool(tool: Tool): void {
    this.#tools.show(tool);
  }

  #use(tool: Tool, useTool: (tool: Tool) => void): void {
    this.#tools.show(tool);
    useTool(tool);
  }

  /** All but the first mode: a target has one. */
  #clear(useTool: (tool: Tool) => void): void {
    const { target } = this.#playground.settings;
    this.#playground.setTarget(cleared(target), 'drawn');
    this.#use('draw', useTool);
  }

  #cases(): HTMLElement {
    const { texts } = this.#playground;
    const cases: [PlaygroundLoss, string, string][] = [
      ['real', texts.caseReal, texts.caseRealHint],
      ['difference', texts.caseDifference, texts.caseDifferenceHint],
      ['regression', texts.caseRegression, texts.caseRegressionHint],
    ];
    return element(
      'div',
      { class: 'cases' },
      ...cases.map(([loss, title, hint]) =>
        element(
          'button',
          { class: 'plain framed case', 'data-case': loss, onclick: () => void this.#playground.figureThree(loss) },
          element('strong', {}, title),
          element('span', { class: 'muted small' }, hint),
        ),
      ),
    );
  }
}

export function section(title: string, ...children: (Node | null)[]): HTMLElement {
  return element('section', { class: 'box part' }, element('h2', {}, title), ...children);
}
