/** What a schema finds wrong with a config, in words and with the place in the text. */
import { findNodeAtLocation, getNodeValue, type Node } from 'jsonc-parser';
import { nearest } from './suggest.ts';
import type { z } from './zod.ts';

/**
 * Not JSON; a key that is there twice; a key that does not exist; a value that is missing or impossible; values that do not
 * go together; and what is wrong not with the text but with what it names, such as a file that is not there.
 */
export const problemCodes = ['syntax', 'repeated-key', 'unknown-key', 'value', 'combination', 'environment'] as const;
export type ProblemCode = (typeof problemCodes)[number];

export interface Located {
  readonly code: ProblemCode;
  /** Characters from the start of the text. */
  readonly offset: number;
  readonly length: number;
  readonly what: string;
  /** What the key means; '' where that does not help. */
  readonly meaning: string;
  /** What was probably meant, to be put in the place of these characters. */
  readonly replacement: string | null;
}

/** `line:column`, both from 1. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  return `${before.split('\n').length}:${offset - before.lastIndexOf('\n')}`;
}

type Path = (string | number)[];

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

/** One line per mistake, in the order of the text. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], root: Node, schema: object): Located[] {
  const all = issues.flatMap(oneByOne);
  const problems = all.slice(0, mostProblems).flatMap((issue): Located[] => {
    const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, root, schema));
    const at = schemaAt(schema, path);
    const node = findNodeAtLocation(root, path);
    const got = node ? `, got ${show(node)}` : '; the key is missing';
    const meant = node && guess(issue, node);
    const custom = issue.code === 'custom';
    const what = custom
      ? `${issue.message}${node ? got : ''}`
      : `${expectation(issue, at?.type === 'integer')}${got}${meant ? `; did you mean "${meant}"?` : ''}`;
    return [
      {
        code: custom ? 'combination' : 'value',
        // A missing key is shown at the brace of the object that it belongs in.
        ...(node ? { offset: node.offset, length: node.length } : { offset: parentOf(root, path).offset, length: 1 }),
        what: `${path.join('.')}: ${what}`,
        meaning: at?.description ?? '',
        replacement: meant ? JSON.stringify(meant) : null,
      },
    ];
  });
  const left = all.length - problems.length;
  const what = `and ${left} more mistakes, which are looked into once these are corrected`;
  const more: Located = { code: 'value', offset: root.offset, length: 1, what, meaning: '', replacement: null };
  return [...problems.sort((a, b) => a.offset - b.offset), ...(left > 0 ? [more] : [])];
}

/** Nobody reads more, and to find the place of each takes as long as its object has keys. */
const mostProblems = 100;

/** Keys that are not known come together. */
function oneByOne(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({ ...issue, keys: [key] })) : [issue];
}

function unknownKey(path: Path, key: string, root: Node, schema: object): Located {
  const parent = findNodeAtLocation(root, path);
  const property = parent?.children?.find((child) => child.children?.[0]?.value === key);
  const known = Object.keys(schemaAt(schema, path)?.properties ?? {});
  const meant = nearest(key, known);
  const where = path.length > 0 ? ` in ${path.join('.')}` : '';
  const help = meant
    ? `did you mean "${meant}"?`
    : `known are ${known.filter((name) => name !== '$schema').join(', ')}`;
  return {
    code: 'unknown-key',
    offset: property?.offset ?? 0,
    length: property?.children?.[0]?.length ?? 1,
    what: `unknown key "${key}"${where}; ${help}`,
    meaning: '',
    replacement: meant ? JSON.stringify(meant) : null,
  };
}

/** The innermost object that is there: where a missing key would belong. */
function parentOf(root: Node, path: Path): Node {
  for (let length = path.length - 1; length > 0; length--) {
    const node = findNodeAtLocation(root, path.slice(0, length));
    if (node) return node;
  }
  return root;
}

const typeNames: Record<string, string> = {
  int: 'a whole number',
  string: 'a text in quotes',
  boolean: 'true or false',
  array: 'a list [...]',
  tuple: 'a list [...]',
  object: 'an object {...}',
};

function expectation(issue: z.core.$ZodIssue, isWhole: boolean): string {
  const number = isWhole ? 'a whole number' : 'a number';
  if (issue.code === 'invalid_type' && issue.expected === 'number') return `expected ${number}`;
  if (issue.code === 'invalid_type') return `expected ${typeNames[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value')
    return `expected ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    const limit = issue.code === 'too_small' ? issue.minimum : issue.maximum;
    const sign = `${issue.code === 'too_small' ? '>' : '<'}${issue.inclusive ? '=' : ''}`;
    const counted = { array: 'a list with a number of entries', string: 'a text with a length' }[
      issue.origin as string
    ];
    return `expected ${counted ?? number} ${sign} ${limit}`;
  }
  return issue.message;
}

function guess(issue: z.core.$ZodIssue, node: Node): string | undefined {
  if (issue.code !== 'invalid_value' || typeof node.value !== 'string') return undefined;
  return nearest(node.value, issue.values.map(String));
}

/** The value as it stands in the file, cut to a readable length, with its type where that is not plain to see. */
function show(node: Node): string {
  const text = JSON.stringify(getNodeValue(node));
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return node.type === 'string' ? `the text ${short}` : short;
}

function schemaAt(schema: object, path: Path): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>(
    (at, key) => (typeof key === 'number' ? at?.items : at?.properties?.[key]),
    schema as JsonSchema,
  );
}
