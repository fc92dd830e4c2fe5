/**
 * Reads a config (JSON with comments and trailing commas). Anything wrong is one UserError that names file, line and
 * column of every mistake, what was found there and what is expected.
 */

import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { UserError } from '../errors.ts';
import { type ConfigKind, configKinds } from './common.ts';
import { deepest, depthFault } from './depth.ts';
import { type DistillConfig, distillSchema, distillSchemaOf, methodNames, sectionOf } from './distill.ts';
import { type Located, lineAndColumn, type ProblemCode, problemsOf } from './problems.ts';
import { safeParse } from './safe-parse.ts';
import { nearest } from './suggest.ts';
import { type TeachConfig, teachSchema } from './teach.ts';
import { type TeachAutoencoderConfig, teachAutoencoderSchema } from './teach-autoencoder.ts';
import { type TeachTextConfig, teachTextSchema } from './teach-text.ts';
import { type TeachTextEncoderConfig, teachTextEncoderSchema } from './teach-text-encoder.ts';
import { z } from './zod.ts';

export type Config = DistillConfig | TeachConfig | TeachAutoencoderConfig | TeachTextEncoderConfig | TeachTextConfig;

const schemas = {
  distill: distillSchema,
  teach: teachSchema,
  'teach-autoencoder': teachAutoencoderSchema,
  'teach-text-encoder': teachTextEncoderSchema,
  'teach-text': teachTextSchema,
} satisfies Record<ConfigKind, z.ZodType<Config>>;

/** A config of any kind. */
export const configSchema = z.discriminatedUnion('kind', [
  distillSchema,
  teachSchema,
  teachAutoencoderSchema,
  teachTextEncoderSchema,
  teachTextSchema,
]);

const shownProblems = 10;

/**
 * @param fileName for messages only
 * @returns the config with every default filled in
 * @throws UserError('config')
 */
export function parseConfig(content: string, fileName: string): Config {
  // Some editors begin a file with a byte order mark.
  const text = content.replace(/^\uFEFF/, '');
  const { config, problems } = examine(text);
  if (config) return config;
  throw configError(problems, text, fileName);
}

/** Everything that is wrong with a text by itself, in the order of the text; [] for a config. */
export function configProblems(text: string): readonly Located[] {
  return examine(text).problems;
}

type Examined = { config: Config; problems: readonly [] } | { config: null; problems: readonly Located[] };

function examine(text: string): Examined {
  const refuse = (problems: readonly Located[]): Examined => ({ config: null, problems });
  const deep = tooDeep(text);
  if (deep) return refuse([deep]);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
  const [first] = errors;
  if (first) return refuse([problem('syntax', first, words(printParseErrorCode(first.error)))]);
  if (root?.type !== 'object') return refuse([problem('syntax', root ?? { offset: 0, length: 1 }, 'expected { ... }')]);
  const repeated = repeatedKeys(root).slice(0, shownProblems);
  if (repeated.length > 0) return refuse(repeated);
  const kind = kindOf(root);
  if (typeof kind !== 'string') return refuse([kind]);
  const schema = kind === 'distill' ? methodSchema(root) : schemas[kind];
  if ('code' in schema) return refuse([schema]);
  const value: unknown = getNodeValue(root);
  const result = safeParse(schema, value);
  if (result.success) return { config: result.data, problems: [] };
  return refuse(problemsOf(result.error.issues, root, z.toJSONSchema(schema, { io: 'input' })));
}

function tooDeep(text: string): Located | undefined {
  const offset = depthFault(text);
  if (offset === undefined) return undefined;
  return problem('syntax', { offset, length: 1 }, `nested more than ${deepest} levels deep`);
}

function problem(
  code: ProblemCode,
  { offset, length }: { readonly offset: number; readonly length: number },
  what: string,
  replacement: string | null = null,
): Located {
  return { code, offset, length, what, meaning: '', replacement };
}

/** JSON schema (draft 7) of a kind of config, for the editor. @param method of a distillation */
export function configJsonSchema(kind: ConfigKind, method = 'dmd'): Record<string, unknown> {
  const schema = kind === 'distill' ? distillSchemaOf(method)! : schemas[kind];
  const made = { ...z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }), allowTrailingCommas: true };
  if (kind !== 'distill') return made;
  const { const: _, ...named } = made.properties!.method as Record<string, unknown>;
  const words = methodNames();
  const choices = { enum: words, enumDescriptions: words.map((word) => sectionOf(word).title) };
  return { ...made, properties: { ...made.properties, method: { ...named, ...choices, default: 'dmd' } } };
}

const kindOf = (root: Node): ConfigKind | Located => wordOf(root, 'kind', configKinds);

/** The schema of a distillation's method. */
function methodSchema(root: Node): typeof distillSchema | Located {
  const method = findNodeAtLocation(root, ['method']) ? wordOf(root, 'method', methodNames()) : 'dmd';
  return typeof method === 'string' ? distillSchemaOf(method)! : method;
}

/** The value of a key that must be one of some words. */
function wordOf<Word extends string>(root: Node, key: string, words: readonly Word[]): Word | Located {
  const node = findNodeAtLocation(root, [key]);
  const value: unknown = node && getNodeValue(node);
  const word = words.find((known) => known === value);
  if (word !== undefined) return word;
  const guess = typeof value === 'string' ? nearest(value, words) : undefined;
  const got = node ? `, got ${JSON.stringify(value)}` : '; the key is missing';
  const what = `${key}: expected ${words.map((known) => `"${known}"`).join(' or ')}${got}${guess ? `; did you mean "${guess}"?` : ''}`;
  const place = node ?? { offset: root.offset, length: 1 };
  return problem('value', place, what, guess ? JSON.stringify(guess) : null);
}

/** JSON would silently take the last one. */
function repeatedKeys(node: Node): Located[] {
  const seen = new Set<string>();
  const children = node.children ?? [];
  const here =
    node.type !== 'object'
      ? []
      : children.flatMap((property) => {
          const [key] = property.children!;
          if (!seen.has(key!.value)) {
            seen.add(key!.value);
            return [];
          }
          return [problem('repeated-key', key!, `the key "${key!.value}" is there twice`)];
        });
  return [...here, ...children.flatMap(repeatedKeys)];
}

function configError(problems: readonly Located[], text: string, fileName: string): UserError {
  const lines = problems.slice(0, shownProblems).map(({ offset, what, meaning }) => {
    const line = `${fileName}:${lineAndColumn(text, offset)}: ${what}`;
    return meaning ? `${line}\n    ${meaning}` : line;
  });
  if (problems.length > shownProblems) lines.push(`and ${problems.length - shownProblems} more`);
  return new UserError('config', lines.join('\n'), 'Correct the config and start again; nothing was written.');
}

/** `ColonExpected` -> `colon expected`. */
function words(code: string): string {
  return code.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
}
