/** What the recorded numbers say of a run's health: a line when all is well, a sentence with the numbers for each thing that is not. */
import type { MonitorTexts } from '../../backend/protocol/panels/monitor-texts.ts';
import type { RunHealth, RunVerdict } from '../../backend/protocol/rpc/runs.ts';
import { element, fillWith, icon } from '../shared/dom.ts';
import { count } from '../shared/format.ts';
import { icons } from '../shared/icons.ts';
import { fill } from '../shared/initial.ts';

export class HealthSection {
  readonly root = element('details', { class: 'health', 'data-testid': 'health' });
  readonly #texts: MonitorTexts;
  /** What is shown, so that a person who opened it keeps it open while nothing changes. */
  #shown = '';
  #alarmed = '';

  constructor(texts: MonitorTexts) {
    this.#texts = texts;
    this.root.hidden = true;
  }

  /** @param health null while it is not known, and for what has none */
  show(health: RunHealth | null): void {
    const key = JSON.stringify(health);
    if (key === this.#shown) return;
    this.#shown = key;
    // Nothing recorded of any rule: not a distillation.
    this.root.hidden = !health || (health.verdicts.length === 0 && health.step === 0);
    if (!health) return;
    const texts = this.#texts;
    const { verdicts, unjudged } = health;
    const worst = verdicts[0]?.severity ?? 'well';
    const summary = verdicts.length === 0 ? texts.healthWell : countsOf(texts, verdicts);
    fillWith(
      this.root,
      element(
        'summary',
        { 'data-severity': worst },
        icon(icons.chevron),
        element('span', {}, `${texts.health}: ${summary}`),
      ),
      ...verdicts.map((verdict) => this.#line(verdict)),
      unjudged.length > 0 && element('p', { class: 'muted' }, fill(texts.healthUnjudged, unjudged.join(', '))),
    );
    // A new alarm opens itself, once; a person may close it.
    const alarms = verdicts.filter(({ severity }) => severity === 'alarm').map(({ rule }) => rule);
    if (alarms.join() !== this.#alarmed && alarms.length > 0) this.root.setAttribute('open', '');
    this.#alarmed = alarms.join();
  }

  #line({ severity, title, step, statement, advice }: RunVerdict): HTMLElement {
    return element(
      'p',
      { class: `message ${severity === 'alarm' ? 'error' : 'warning'}` },
      icon(icons.warning),
      element(
        'span',
        {},
        element('strong', {}, title),
        ` (${fill(this.#texts.healthAtStep, count(step))}): ${statement} `,
        element('span', { class: 'muted' }, advice),
      ),
    );
  }
}

function countsOf(texts: MonitorTexts, verdicts: readonly RunVerdict[]): string {
  const alarms = verdicts.filter(({ severity }) => severity === 'alarm').length;
  const warnings = verdicts.length - alarms;
  return [
    alarms > 0 && (alarms === 1 ? texts.healthOneAlarm : fill(texts.healthAlarms, alarms)),
    warnings > 0 && (warnings === 1 ? texts.healthOneWarning : fill(texts.healthWarnings, warnings)),
  ]
    .filter(Boolean)
    .join(', ');
}
