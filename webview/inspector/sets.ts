/** From an inspection to what is shown of it. Knows no page. */
import type { Inspection } from '../../backend/protocol/inspection.ts';
import type { InspectorTexts } from '../../backend/protocol/panels/inspector-texts.ts';
import { number } from '../shared/format.ts';
import type { Picture } from '../shared/heatmaps/picture.ts';
import { fill } from '../shared/initial.ts';
import { difference, type ScoreField, type ScoreSet, scoreSetOf } from '../shared/scores/score-set.ts';

type Tensors = Inspection['tensors'];

/** An image by its name; undefined where there is none. */
export function pictureOf(tensors: Tensors, name: string): Picture | undefined {
  const found = tensors.find((tensor) => tensor.name === name);
  if (found?.shape.length !== 3) return undefined;
  const [channels, height, width] = found.shape as [number, number, number];
  return { channels, height, width, data: found.data };
}

/** The l-th image of a strip. */
export function stripPicture(tensors: Tensors, name: string, level: number): Picture | undefined {
  const found = tensors.find((tensor) => tensor.name === name);
  if (found?.shape.length !== 4) return undefined;
  const [, channels, height, width] = found.shape as [number, number, number, number];
  const size = channels * height * width;
  return { channels, height, width, data: found.data.subarray(level * size, (level + 1) * size) };
}

export function valuesOf(tensors: Tensors, name: string): Float32Array | undefined {
  return tensors.find((tensor) => tensor.name === name && tensor.shape.length === 1)?.data;
}

/** One set; for latents three: decoded, as colours, and the channels themselves. */
export function setsOf(texts: InspectorTexts, inspection: Inspection, title: string, stepSize: number): ScoreSet[] {
  const { tensors, level } = inspection;
  const of = (name: string) => pictureOf(tensors, name)!;
  const weight = valuesOf(tensors, 'weight')![0]!;
  const conditional = pictureOf(tensors, 'muConditional');
  const projection = tensors.find(({ name }) => name === 'projection');
  const latent = projection !== undefined;
  const set = scoreSetOf(texts, {
    ...{ x: of('x'), xt: of('xt'), muReal: of('muReal'), muFake: of('muFake'), grad: of('grad') },
    ...{ weight, alpha: level.alpha, sigma: level.sigma, title },
  });
  const stepped: ScoreField = {
    ...{ id: 'stepped', title: fill(texts.fieldStepped, number(stepSize, 3)), hint: texts.hintStepped },
    ...{ picture: of('stepped'), kind: 'image' },
  };
  const extra = [...(conditional ? partsOf(texts, inspection, conditional, weight) : []), stepped];
  const fields = [...set.fields, ...extra].map((field) =>
    // Numbers of latents are no shades of grey.
    latent ? { ...field, kind: 'signed' as const } : field,
  );
  if (!latent) return [{ ...set, fields }];
  const own = { facts: [] };
  const named = (id: string) => fields.find((field) => field.id === id)!;
  const decoded = ['x', 'muReal', 'muFake', 'stepped'].flatMap((id) => {
    const picture = pictureOf(tensors, `decoded/${id}`);
    return picture ? [{ ...named(id), id: `decoded-${id}`, picture, kind: 'image' as const }] : [];
  });
  const coloured = ['x', 'xt', 'muReal', 'muFake', 'stepped'].map((id) => ({
    ...named(id),
    ...{ id: `colours-${id}`, picture: projected(named(id).picture, projection.data), kind: 'image' as const },
    hint: texts.colourHint,
  }));
  return [
    { ...set, title: [title, texts.pictures].filter(Boolean).join(' · '), fields: decoded },
    { title: texts.colours, fields: coloured, ...own },
    { title: texts.latents, fields, ...own },
  ];
}

/** grad = weight (mu_fake - unguided mu_real) + weight (unguided mu_real - mu_real). */
function partsOf(texts: InspectorTexts, { tensors }: Inspection, conditional: Picture, weight: number): ScoreField[] {
  const part = (a: Picture, b: Picture): Picture => {
    const { data, ...shape } = difference(a, b);
    return { ...shape, data: data.map((value) => weight * value) };
  };
  const [real, fake] = [pictureOf(tensors, 'muReal')!, pictureOf(tensors, 'muFake')!];
  const field = (id: string, title: string, hint: string, picture: Picture): ScoreField => ({
    ...{ id, title, hint, picture, kind: 'signed' },
  });
  return [
    field('muConditional', texts.fieldConditional, texts.hintConditional, conditional),
    field('matches', texts.fieldMatches, texts.hintMatches, part(fake, conditional)),
    field('guides', texts.fieldGuides, texts.hintGuides, part(conditional, real)),
  ];
}

/** Colours [3, H, W] of a latent by the map [3, C + 1]. */
export function projected({ channels, height, width, data }: Picture, map: Float32Array): Picture {
  const size = height * width;
  const colours = new Float32Array(3 * size);
  for (let colour = 0; colour < 3; colour++) {
    const row = map.subarray(colour * (channels + 1), (colour + 1) * (channels + 1));
    for (let i = 0; i < size; i++) {
      let sum = row[channels]!;
      for (let channel = 0; channel < channels; channel++) sum += row[channel]! * data[channel * size + i]!;
      colours[colour * size + i] = sum;
    }
  }
  return { channels: 3, height, width, data: colours };
}

/** Of two inspections' sets, the second minus the first. Colours are a map of either image alone: theirs would say nothing. */
export function setDifferences(title: string, first: readonly ScoreSet[], second: readonly ScoreSet[]): ScoreSet[] {
  return second.flatMap((set, i) => {
    const before = first[i];
    if (!before || set.fields.some(({ id }) => id.startsWith('colours-'))) return [];
    const [, kind] = set.title.split(' · ');
    return [
      setDifference([title, second.length > 1 ? (kind ?? set.title) : ''].filter(Boolean).join(' · '), before, set),
    ];
  });
}

/** A strip of what a second inspection of the same levels has minus the first. */
export function stripDifference(first: Inspection, second: Inspection): Inspection {
  const strip = second.strip.flatMap((tensor) => {
    const before = first.strip.find(({ name }) => name === tensor.name);
    if (before?.data.length !== tensor.data.length) return [];
    return [{ ...tensor, data: tensor.data.map((value, i) => value - before.data[i]!) }];
  });
  return { ...second, tensors: [], strip };
}

/** The other set's fields minus the first's, where both have them; all signed. */
export function setDifference(title: string, first: ScoreSet, second: ScoreSet): ScoreSet {
  const fields = second.fields.flatMap((field): ScoreField[] => {
    const before = first.fields.find(({ id }) => id === field.id);
    const fits = before?.picture.data.length === field.picture.data.length;
    return before && fits ? [{ ...field, picture: difference(field.picture, before.picture), kind: 'signed' }] : [];
  });
  const facts = second.facts.flatMap((fact) => {
    const before = first.facts.find(({ id }) => id === fact.id);
    return before && !['sigma', 'alpha'].includes(fact.id) ? [{ ...fact, value: fact.value - before.value }] : [];
  });
  return { title, fields, facts };
}
