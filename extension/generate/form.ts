/** From what the person chose to what the backend is asked, and back. Knows no `vscode`. */
import { UserError } from '../../backend/protocol/errors.ts';
import type { Entry } from '../../backend/protocol/panels/generate.ts';
import {
  type Form,
  mostImages,
  type Restorable,
  restorable,
  sameValue,
} from '../../backend/protocol/panels/generate-form.ts';
import type { ForeignPicture, GenerateSettings, ModelInfo } from '../../backend/protocol/rpc/images.ts';
import { parseSeed, type Seed, seedAfter } from '../../backend/protocol/seed.ts';
import { l10n } from '../l10n.ts';

export const defaultForm: Form = {
  model: 'builtin:scenes',
  class: 'seed',
  prompt: '',
  negative: '',
  guidance: null,
  live: false,
  seed: 0,
  locked: false,
  restored: false,
  count: 4,
  steps: null,
  sampler: null,
  size: null,
  decoder: '',
  device: 'auto',
  beside: false,
  other: '',
  asGrid: false,
  grid: { x: { setting: 'steps', values: [] }, y: null },
};

/** The requests that a form stands for: one, or two for side by side. Throws UserError('usage') that says what is missing. */
export function settingsOf(form: Form, models: readonly ModelInfo[]): GenerateSettings[] {
  const first = settingsFor(form, usable(form.model, models), form.steps);
  if (!form.beside) return [first];
  const other = usable(otherModel(form, models), models);
  const { imageShape, classes } = usable(form.model, models);
  if (other.classes.length !== classes.length || other.imageShape?.join() !== imageShape?.join()) {
    const message = l10n.t('{0} makes other images than {1}', other.title, form.model);
    throw new UserError('usage', message, l10n.t('Compare models of the same image size and number of classes.'));
  }
  // The steps that were chosen are those of whichever of the two is a teacher.
  return [first, settingsFor(form, other, other.role === 'teacher' ? form.steps : null)];
}

/** The model to compare with, '' when it is not known which. */
export function otherModel({ model, other }: Form, models: readonly ModelInfo[]): string {
  if (other !== '') return other;
  return models.find((info) => info.model === model)?.teacher ?? '';
}

function usable(model: string, models: readonly ModelInfo[]): ModelInfo {
  if (model === '') {
    throw new UserError(
      'usage',
      l10n.t('There is no model to compare with'),
      l10n.t('Choose one under "Compare with".'),
    );
  }
  const info = models.find((known) => known.model === model);
  if (!info)
    throw new UserError(
      'usage',
      l10n.t('The model {0} is not here', model),
      l10n.t('Choose another model, or import its file.'),
    );
  if (info.problem !== '') throw new UserError('weights', l10n.t('{0} cannot be used: {1}', info.title, info.problem));
  return info;
}

function settingsFor(form: Form, info: ModelInfo, chosen: number | null): GenerateSettings {
  const { model, role, steps, classes, samplers, sizeStep } = info;
  const { sampler, size, decoder } = form;
  const seeds = Array.from({ length: form.count }, (_, i) => seedAfter(form.seed, i));
  return {
    ...{ model, seeds, device: form.device, ...wordsOf(form, info) },
    classes: classesOf(form, seeds.length, classes.length),
    steps: role === 'generator' ? steps : (chosen ?? steps),
    ...(sampler !== null && samplers.includes(sampler) ? { sampler } : {}),
    ...(size !== null && sizeStep !== null ? { size } : {}),
    ...(decoder !== '' && info.prompt ? { decoder } : {}),
  };
}

/** An empty prompt is one too: a text model then draws what it likes. */
function wordsOf({ prompt, negative, guidance }: Form, info: ModelInfo) {
  if (!info.prompt) return { prompt: null };
  if (info.guidance === null) return { prompt };
  return {
    prompt,
    ...(negative.trim() === '' ? {} : { negative }),
    ...(guidance === null ? {} : { guidance }),
  };
}

/** What a text model is asked while the person types: one image. Null for a model that needs several steps. */
export function liveSettings(form: Form, models: readonly ModelInfo[]): GenerateSettings | null {
  const info = models.find(({ model }) => model === form.model);
  if (!info?.prompt || info.steps !== 1) return null;
  return settingsFor({ ...form, count: 1 }, usable(form.model, models), null);
}

function classesOf({ class: chosen }: Form, images: number, classes: number): number[] | null {
  if (chosen === 'seed' || classes === 0) return null;
  if (chosen === 'each') return Array.from({ length: images }, (_, i) => i % classes);
  return [Math.min(chosen, classes - 1)];
}

/** The form that makes these images again, with what settings do not say taken from the form before. */
export function formOf(sides: readonly GenerateSettings[], before: Form): Form {
  const [first, second] = sides;
  if (!first) return before;
  const { seeds, classes, steps } = first;
  const single = classes?.every((id) => id === classes[0]) ? classes[0] : undefined;
  return {
    ...before,
    ...{ model: first.model, prompt: first.prompt ?? '', device: first.device },
    ...{ negative: (first.negative ?? second?.negative) || '', guidance: first.guidance ?? second?.guidance ?? null },
    ...{ sampler: first.sampler ?? second?.sampler ?? null, size: first.size ?? null },
    decoder: first.decoder ?? '',
    class: classes === null ? 'seed' : (single ?? 'each'),
    ...{ seed: seeds[0] ?? 0, locked: true, restored: true },
    count: Math.min(seeds.length, mostImages),
    // One step is what a generator takes anyway; two sides have the steps of the one that takes several.
    steps: Math.max(steps, second?.steps ?? 1) === 1 ? null : Math.max(steps, second?.steps ?? 1),
    beside: second !== undefined,
    other: second?.model ?? before.other,
    asGrid: false,
  };
}

/** The same for all images of an entry. */
export function formOfEntry({ sides, grid }: Pick<Entry, 'sides' | 'grid'>, before: Form): Form {
  const settings = sides.map((side) => side.settings);
  if (!grid) return formOf(settings, before);
  return { ...formOf(settings.slice(0, 1), before), asGrid: true, grid };
}

/** Which settings the form that they were restored into would ask otherwise; [] when it makes the same images. */
export function lostSettings(
  sides: readonly GenerateSettings[],
  form: Form,
  models: readonly ModelInfo[],
): Restorable[] {
  if (models.length === 0) return [];
  try {
    const again = settingsOf(form, models);
    return (Object.keys(restorable) as Restorable[]).filter((key) =>
      sides.some((side, s) => !sameValue(side[key] || undefined, again[s]?.[key] || undefined)),
    );
  } catch (error) {
    if (error instanceof UserError) return ['model'];
    throw error;
  }
}

/** Of decimal digits; null for none, and for one that a form does not take. */
export function drawableSeed(digits: string | null): Seed | null {
  return digits === null ? null : parseSeed(digits);
}

/** The form with what it can take of another program's picture, and with a model that takes a prompt if there is one. */
export function formOfForeign(picture: ForeignPicture, before: Form, models: readonly ModelInfo[]): Form {
  const { prompt, negative } = picture;
  const seed = drawableSeed(picture.seed);
  const takesPrompt = ({ prompt: takes, problem }: ModelInfo) => takes && problem === '';
  const isFitting = models.some((info) => info.model === before.model && takesPrompt(info));
  const other = prompt === null || isFitting ? undefined : models.find(takesPrompt);
  return {
    ...before,
    ...(other ? { model: other.model, steps: null, sampler: null, decoder: '', beside: false } : {}),
    asGrid: false,
    ...(prompt === null ? {} : { prompt, negative: negative ?? '' }),
    ...(seed === null ? {} : { seed, locked: true, restored: true }),
  };
}

/** The settings of one image of several. */
export function settingsOfImage(settings: GenerateSettings, index: number): GenerateSettings {
  const { seeds, classes } = settings;
  const seed = seeds[index] ?? seeds[0] ?? 0;
  return { ...settings, seeds: [seed], classes: classes && [classes[index % classes.length] ?? 0] };
}
