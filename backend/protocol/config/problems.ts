/** What a schema finds wrong with a config, in words and with the place in the text. */
import { findNodeAtLocation, getNodeValue, type Node } from 'jsonc-parser';
import { nearest } from './suggest.ts';
import type { z } from './zod.ts';

export interface Located {
  /** Characters from the start of the text. */
  readonly offset: number;
  readonly what: string;
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
  const problems = issues.flatMap((issue): Located[] => {
    const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, root, schema));
    const at = schemaAt(schema, path);
    const node = findNodeAtLocation(root, path);
    const { offset, missing } = node ? { offset: node.offset, missing: false } : nearestParent(root, path);
    const got = missing ? '; the key is missing' : `, got ${show(node)}`;
    const what =
      issue.code === 'custom'
        ? `${issue.message}${missing ? '' : got}`
        : `${expectation(issue, at?.type === 'integer')}${got}`;
    return [
      {
        offset,
        what: `${path.join('.')}: ${what}${guess(issue, node)}${at?.description ? `\n    ${at.description}` : ''}`,
      },
    ];
  });
  return problems.sort((a, b) => a.offset - b.offset);
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
  return { offset: property?.offset ?? 0, what: `unknown key "${key}"${where}; ${help}` };
}

/** The innermost object that is there: where a missing key would belong. */
function nearestParent(root: Node, path: Path): { offset: number; missing: true } {
  for (let length = path.length - 1; length > 0; length--) {
    const node = findNodeAtLocation(root, path.slice(0, length));
    if (node) return { offset: node.offset, missing: true };
  }
  return { offset: root.offset, missing: true };
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

function guess(issue: z.core.$ZodIssue, node: Node | undefined): string {
  if (issue.code !== 'invalid_value' || typeof node?.value !== 'string') return '';
  const meant = nearest(node.value, issue.values.map(String));
  return meant ? `; did you mean "${meant}"?` : '';
}

/** The value as it stands in the file, cut to a readable length, with its type where that is not plain to see. */
function show(node: Node | undefined): string {
  const text = node ? JSON.stringify(getNodeValue(node)) : 'nothing';
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return node?.type === 'string' ? `the text ${short}` : short;
}

function schemaAt(schema: object, path: Path): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>(
    (at, key) => (typeof key === 'number' ? at?.items : at?.properties?.[key]),
    schema as JsonSchema,
  );
}
