/** Changes of a config from the command line: `regression.lambda=0.5`. */
import { UserError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { type Config, parseConfig } from './parse.ts';

/**
 * The config with some values replaced; a value is JSON, or else a text as it is.
 * @throws UserError('config') for an unknown key or an impossible value, UserError('usage') for what is no assignment
 */
export function applyOverrides(config: Config, assignments: readonly string[]): Config {
  if (assignments.length === 0) return config;
  const changed: Record<string, unknown> = structuredClone(config);
  for (const assignment of assignments) assign(changed, assignment);
  return parseConfig(JSON.stringify(changed, null, 2), `the config with ${assignments.join(', ')}`);
}

/** Whether an assignment gives a key its value, by itself or within an object. */
export function isAssigned(assignments: readonly string[], key: string): boolean {
  return assignments.some((assignment) => {
    const target: Record<string, unknown> = {};
    const [path] = assignment.split('=', 1);
    if (key !== path && !key.startsWith(`${path}.`)) return false;
    target.value = parseValue(assignment.slice(path!.length + 1));
    const rest = key.slice(path!.length).split('.').slice(1);
    return (
      ['value', ...rest].reduce(
        (inside: unknown, part) => (inside as Record<string, unknown> | null)?.[part],
        target,
      ) !== undefined
    );
  });
}

function assign(target: Record<string, unknown>, assignment: string): void {
  const [, path, text] = /^([\w$.]+)=(.*)$/s.exec(assignment) ?? [];
  if (path === undefined || text === undefined) {
    throw new UserError('usage', `'${assignment}' is not KEY=VALUE`, 'For example: regression.lambda=0.5');
  }
  const keys = path.split('.');
  let inside = target;
  for (const key of keys.slice(0, -1)) {
    const next = Object.hasOwn(inside, key) ? inside[key] : undefined;
    if (typeof next !== 'object' || next === null || Array.isArray(next)) {
      throw new UserError('config', `${path}: the config has no '${key}' with keys in it`, knownKeys(inside));
    }
    inside = next as Record<string, unknown>;
  }
  inside[keys.at(-1)!] = parseValue(text);
}

function knownKeys(inside: object): string {
  return `Known here are ${Object.keys(inside).join(', ')}.`;
}

function parseValue(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}
