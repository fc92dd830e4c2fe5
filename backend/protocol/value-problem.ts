/** What is wrong with a value of a model's configuration, for a person: which value it is, and which ones are supported. */
import type { z } from 'zod';

/**
 * @param issue of a schema's check
 * @param root what was checked
 * @returns e.g. `only null is supported, not "learned"`; the schema's own words where any of a kind of value will do
 */
export function problemOf(issue: z.core.$ZodIssue, root: unknown): string {
  const supported = supportedBy(issue);
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], root);
  const shown = value === undefined ? 'missing' : JSON.stringify(value);
  if (supported === null) return `${issue.message} (it is ${shown})`;
  const names = supported.map((one) => JSON.stringify(one));
  return `only ${names.join(' or ')} ${names.length > 1 ? 'are' : 'is'} supported, not ${shown}`;
}

/** The values that a schema takes, null where they are not a few. */
function supportedBy(issue: z.core.$ZodIssue): readonly unknown[] | null {
  if (issue.code === 'invalid_value') return issue.values;
  if (issue.code === 'invalid_type' && issue.expected === 'null') return [null];
  if (issue.code !== 'invalid_union') return null;
  const each = issue.errors.map((issues) => (issues.length === 1 ? supportedBy(issues[0]!) : null));
  return each.some((values) => values === null) ? null : each.flatMap((values) => values!);
}
