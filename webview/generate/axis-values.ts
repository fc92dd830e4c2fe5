/** The values that a grid goes through: what a person types, what a model offers, and what one would begin with. Knows no page. */
import { type AxisSetting, type Form, mostImages, sizeText } from '../../backend/protocol/panels/generate-form.ts';
import type { ModelInfo } from '../../backend/protocol/rpc/images.ts';
import { seedAfter } from '../../backend/protocol/seed.ts';

const lined: readonly AxisSetting[] = ['prompt', 'negative'];

/** Whether its values are texts, one on each line. */
export function isLined(setting: AxisSetting): boolean {
  return lined.includes(setting);
}

/** `1, 4-6` are 1, 4, 5 and 6; of texts every line is one. */
export function parseValues(setting: AxisSetting, text: string): string[] {
  const parts = isLined(setting) ? text.split('\n') : text.split(',').flatMap(rangeOf);
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .slice(0, mostImages);
}

export function valuesText(setting: AxisSetting, values: readonly string[]): string {
  return values.join(isLined(setting) ? '\n' : ', ');
}

function rangeOf(part: string): string[] {
  const [, from, to] = /^\s*(\d+)\s*(?:-|–|\.\.)\s*(\d+)\s*$/.exec(part) ?? [];
  const count = Number(to) - Number(from) + 1;
  if (from === undefined || !(count >= 1)) return [part];
  return Array.from({ length: Math.min(count, mostImages) }, (_, i) => String(BigInt(from) + BigInt(i)));
}

/** What the values are chosen from; null for what is typed. */
export function offeredValues(setting: AxisSetting, info: ModelInfo, models: readonly ModelInfo[], devices: string[]) {
  if (setting === 'sampler') return info.samplers.map((value) => ({ value, label: value }));
  if (setting === 'device') return devices.map((value) => ({ value, label: value }));
  if (setting === 'class') return info.classes.map((label, id) => ({ value: String(id), label }));
  if (setting !== 'model') return null;
  const usable = models.filter(({ problem, prompt }) => problem === '' && prompt === info.prompt);
  return usable.map(({ model, title }) => ({ value: model, label: title }));
}

/** What makes a difference to the model's images. */
export function settingsFor(info: ModelInfo, models: readonly ModelInfo[], devices: string[]): AxisSetting[] {
  const choices = (setting: AxisSetting) => offeredValues(setting, info, models, devices)?.length ?? 0;
  const isGuided = info.guidance !== null;
  const has: Record<AxisSetting, boolean> = {
    ...{ seed: true, steps: info.role === 'teacher', guidance: isGuided, negative: isGuided, prompt: info.prompt },
    ...{ size: info.sizeStep !== null, sampler: choices('sampler') > 1, class: choices('class') > 1 },
    ...{ model: choices('model') > 1, device: choices('device') > 1 },
  };
  return (Object.keys(has) as AxisSetting[]).filter((setting) => has[setting]);
}

/** What a grid of the setting begins with. */
export function firstValues(setting: AxisSetting, form: Form, info: ModelInfo, models: readonly ModelInfo[]): string[] {
  const { imageShape, sizeStep, guidance, teacher } = info;
  const steps = form.steps ?? info.steps;
  const own = form.guidance ?? guidance ?? 1;
  const [, height = 0, width = 0] = imageShape ?? [];
  switch (setting) {
    case 'steps':
      return distinct([Math.ceil(steps / 4), Math.ceil(steps / 2), steps, steps * 2]);
    case 'guidance':
      return distinct([1, own / 2, own, own * 2]);
    case 'seed':
      return [0, 1, 2, 3].map((i) => String(seedAfter(form.seed, i)));
    case 'sampler':
      return info.samplers.slice(0, 4);
    case 'class':
      return info.classes.slice(0, 4).map((_, id) => String(id));
    case 'model':
      return [form.model, ...models.filter(({ model }) => model === teacher).map(({ model }) => model)];
    case 'size':
      return distinct([0, 1]).map((i) => sizeText([height, width + Number(i) * 4 * (sizeStep ?? 0)]));
    case 'prompt':
      return form.prompt.trim() === '' ? [] : [form.prompt];
    case 'negative':
      return form.negative.trim() === '' ? [] : [form.negative];
    case 'device':
      return [];
  }
}

function distinct(numbers: readonly number[]): string[] {
  return [...new Set(numbers.filter((number) => number >= 0).map(String))];
}
