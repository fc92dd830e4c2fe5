/** What can be chosen in the form's lists. */
import type { View } from '../../backend/protocol/panels/generate.ts';
import type { Form } from '../../backend/protocol/panels/generate-form.ts';
import type { ModelInfo } from '../../backend/protocol/rpc/images.ts';
import type { Option } from './choice.ts';
import type { Texts } from './texts.ts';

export function modelOptions(models: readonly ModelInfo[], chosen: string, state: View['state']): Option[] {
  const options = models.map(({ model, title, problem }): Option => {
    return { value: model, label: title, title: problem || model, disabled: problem !== '' && model !== chosen };
  });
  const known = chosen === '' || models.some(({ model }) => model === chosen);
  // What is chosen but not (yet) known is shown all the same.
  const label = chosen.split(/[\\/]/).at(-1) ?? chosen;
  return known ? options : [{ value: chosen, label, disabled: state === 'ready' }, ...options];
}

export function classLabel(name: string, id: number): string {
  return name === String(id) ? name : `${id} ${name}`;
}

export function classOptions(classes: readonly string[], text: Texts): Option[] {
  const named = classes.map((name, id) => ({ value: String(id), label: classLabel(name, id) }));
  return [{ value: 'seed', label: text('classFromSeed') }, { value: 'each', label: text('classEach') }, ...named];
}

/** The model's own first, under no name of its own: what is not chosen is not recorded. */
export function samplerOptions(samplers: readonly string[], chosen: string | null, text: Texts): Option[] {
  const [own, ...others] = samplers;
  const options = [{ value: '', label: text('ownSampler', own ?? '') }, ...[own ?? '', ...others].map(option)];
  return chosen === null || samplers.includes(chosen) ? options : [...options, option(chosen)];
}

export function deviceOptions({ devices }: View, chosen: string, text: Texts): Option[] {
  const known = devices.map(({ name, detail, available }): Option => {
    return { value: name, label: available ? `${name} (${detail})` : name, title: detail, disabled: !available };
  });
  const own = known.some(({ value }) => value === 'cpu') ? known : [option('cpu'), ...known];
  const all = [{ value: 'auto', label: text('deviceAuto') }, ...own];
  return all.some(({ value }) => value === chosen) ? all : [...all, option(chosen)];
}

/** Which of the form's models makes several steps; null for none. */
export function severalStepsOf({ model, beside, other }: Form, models: readonly ModelInfo[]): ModelInfo | null {
  const info = models.find((one) => one.model === model);
  const named = beside ? other || info?.teacher : null;
  return [info, models.find((one) => one.model === named)].find((one) => one?.role === 'teacher') ?? null;
}

function option(value: string): Option {
  return { value, label: value };
}
