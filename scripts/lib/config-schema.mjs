// The JSON schema that the editor explains and completes run configs with, made from the schemas that check them.
//
// It only helps to write: it takes any value, because a mistake is shown once, by the extension, which has the backend's
// knowledge and words ("did you mean"). So each type stands beside an empty alternative, and no key is required or refused.
//
// Every function takes `t`, which says a text in the reader's language with its values filled in.
import { isDeepStrictEqual } from 'node:util';
import { configJsonSchema, configKinds, methodNames } from '../../backend/protocol/config/index.ts';

const kinds = {
  distill: 'Distill a teacher into a one-step generator.',
  teach: 'Train a teacher from scratch, or from earlier weights.',
  'teach-autoencoder': 'Train the autoencoder of a text model.',
  'teach-text-encoder': 'Train the text encoder of a text model.',
  'teach-text': 'Train a text-to-image teacher.',
};

/** The schema for `*.dmd.json`, as an object. */
export function editorSchema(t = fill) {
  const definitions = Object.fromEntries(
    configKinds.map((kind) => [kind, helper(t, withoutKind(configJsonSchema(kind)), [])]),
  );
  for (const method of otherMethods()) {
    const own = helper(t, withoutKind(configJsonSchema('distill', method)), []);
    definitions[ofMethod(method)] = sharing(own, definitions.distill);
  }
  const meanings = configKinds.map((kind) => t(kinds[kind]));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $comment: 'Made by npm run generate; explains and completes, and refuses nothing.',
    title: t('DMD run config'),
    allowComments: true,
    allowTrailingCommas: true,
    defaultSnippets: wholeConfigs(t),
    properties: {
      kind: {
        markdownDescription: `${t('What the run does.')}\n\n${choices(configKinds, meanings)}`,
        anyOf: [{ enum: configKinds, markdownEnumDescriptions: meanings }, {}],
      },
    },
    ...byKind(configKinds.filter((kind) => kind !== 'distill')),
    definitions,
  };
}

/** What the schema says, for translators: text -> text. */
export function schemaTexts() {
  const texts = new Set();
  editorSchema((text, ...values) => fill(texts.add(text) && text, ...values));
  return Object.fromEntries([...texts].map((text) => [text, text]));
}

/** `from {0}` with its value. */
export function fill(text, ...values) {
  return text.replace(/\{(\d+)\}/g, (_, index) => String(values[index]));
}

/** The keys of whichever kind it is; those of a distillation while it is none of the others. */
function byKind([kind, ...others]) {
  return Object.fromEntries([
    ['if', { properties: { kind: { const: kind } }, required: ['kind'] }],
    ['then', { $ref: `#/definitions/${kind}` }],
    ['else', others.length > 0 ? byKind(others) : byMethod(otherMethods())],
  ]);
}

/** Those that must be named. */
export const otherMethods = () => methodNames().filter((method) => method !== 'dmd');
const ofMethod = (method) => `distill-${method}`;

/** What both say of a key stands in the second alone. */
function sharing(schema, other) {
  const shared = ([key, value]) => isDeepStrictEqual(value, other.properties[key]);
  const at = (key) => ({ anyOf: [{ $ref: `#/definitions/distill/properties/${key}` }, {}] });
  const properties = Object.entries(schema.properties).map(([key, value]) => [
    key,
    shared([key, value]) ? at(key) : value,
  ]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** The keys of whichever method it is; those of `dmd` while it is none of the others. */
function byMethod([method, ...others]) {
  if (method === undefined) return { $ref: '#/definitions/distill' };
  return Object.fromEntries([
    ['if', { properties: { method: { const: method } }, required: ['method'] }],
    ['then', { $ref: `#/definitions/${ofMethod(method)}` }],
    ['else', byMethod(others)],
  ]);
}

/** What the person fills in, with what stands there at first. */
const text = (place, value) => `\${${place}:${value}}`;
/** The editor takes the quotes away. */
const number = (place, value) => `^${text(place, value)}`;

const wholeConfigs = (t) => [
  {
    label: t('Distillation'),
    description: t('A teacher becomes a one-step generator.'),
    body: {
      kind: 'distill',
      name: text(1, 'my-run'),
      teacher: text(2, 'builtin:scenes'),
      iterations: number(3, '1000'),
      batch: number(4, '16'),
    },
  },
  {
    label: t('Teacher'),
    description: t('A diffusion model, trained on images.'),
    body: {
      kind: 'teach',
      name: text(1, 'my-teacher'),
      data: { source: text(2, 'scenes') },
      network: { img_resolution: number(3, '32'), img_channels: number(4, '3'), label_dim: number(5, '10') },
      iterations: number(6, '3000'),
    },
  },
];

function withoutKind(schema) {
  const { kind: _, ...properties } = schema.properties;
  return { ...schema, properties, required: schema.required.filter((key) => key !== 'kind') };
}

/** A schema that explains and suggests what `schema` demands. */
function helper(t, schema, path) {
  const explained = {
    ...(path.length > 0 ? { markdownDescription: hover(t, schema, path) } : {}),
    ...(schema.default === undefined ? {} : { default: schema.default }),
    ...(schema.deprecated ? { deprecationMessage: t(schema.description).replace(/(?: Default|默认) .*$/, '') } : {}),
  };
  if (schema.properties) {
    const properties = Object.entries(schema.properties).map(([key, value]) => [key, helper(t, value, [...path, key])]);
    return { ...explained, ...snippets(schema), properties: Object.fromEntries(properties) };
  }
  const { type, enum: words, enumDescriptions } = schema;
  const suggested = words ? { enum: words, markdownEnumDescriptions: enumDescriptions.map((one) => t(one)) } : { type };
  return { ...explained, ...valueSnippets(t, schema), anyOf: [suggested, {}] };
}

/** An object comes with the keys that it cannot do without. */
function snippets({ required, properties }) {
  const needed = (required ?? []).filter((key) => properties[key].default === undefined);
  if (needed.length === 0) return {};
  const body = Object.fromEntries(needed.map((key, i) => [key, `^$${i + 1}`]));
  return { defaultSnippets: [{ label: '{}', description: needed.join(', '), body }] };
}

/** For a key without a default: where the value goes. */
function valueSnippets(t, { default: value, enum: words, type, items }) {
  if (value !== undefined || words) return {};
  if (type === 'string') return { defaultSnippets: [{ label: '""', body: '$1' }] };
  if (type !== 'array') return { defaultSnippets: [{ label: '0', body: '^$1' }] };
  if (!Array.isArray(items.items)) return { defaultSnippets: [{ label: '[]', body: ['^$1'] }] };
  const points = [
    [number(1, '0'), number(2, 'value')],
    [number(3, '1000'), number(4, 'value')],
  ];
  return { defaultSnippets: [{ label: '[[0, ...], [1000, ...]]', description: t('Two points'), body: points }] };
}

function hover(t, schema, path) {
  const unit = unitOf(schema);
  const facts = [typeWords(t, schema), unit && t(unit)].filter(Boolean).join(', ');
  return [
    `\`${path.join('.')}\`${facts ? ` (${facts})` : ''}`,
    schema.description && t(schema.description),
    choicesOf(t, schema),
  ]
    .filter(Boolean)
    .join('\n\n');
}

function choicesOf(t, { enum: words, enumDescriptions }) {
  return (
    words &&
    choices(
      words,
      enumDescriptions.map((one) => t(one)),
    )
  );
}

function choices(words, meanings) {
  return words.map((word, i) => `- \`${word}\`: ${meanings[i]}`).join('\n');
}

/** What the numbers of a key count, wherever they stand in it. */
export function unitOf(schema) {
  if (schema.unit !== undefined) return schema.unit;
  if (Array.isArray(schema.items)) return unitOf(schema.items.at(-1));
  return schema.items ? unitOf(schema.items) : '';
}

const typeNames = { integer: 'a whole number', number: 'a number', string: 'a text', boolean: 'true or false' };

/** The kind of value with its limits: `a whole number from 1`. */
function typeWords(t, schema) {
  if (schema.enum || schema.properties) return '';
  if (schema.type === 'array')
    return Array.isArray(schema.items.items) ? t('a list of [iteration, value]') : t('a list');
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = schema;
  const low =
    exclusiveMinimum === undefined ? minimum !== undefined && t('from {0}', minimum) : t('above {0}', exclusiveMinimum);
  const high =
    exclusiveMaximum === undefined
      ? maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER && t('to {0}', maximum)
      : t('below {0}', exclusiveMaximum);
  const name = typeNames[schema.type];
  return [name && t(name), low, high].filter(Boolean).join(' ');
}
