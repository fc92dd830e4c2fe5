/** What an error says to the person, and what it leaves in the log. */
import { UserError } from '../backend/protocol/errors.ts';

export function errorText(error: unknown, what: string): { message: string; log: string } {
  const said = error instanceof Error ? error.message : String(error);
  const hint = error instanceof UserError ? error.hint : '';
  const message = [sentence(what === '' ? said : `${what}: ${said}`), sentence(hint)].filter(Boolean).join(' ');
  return { message, log: [message, ...traces(error)].join('\n') };
}

/** A UserError's own stack says nothing that its message does not; its causes' stacks and those of bugs do. */
function traces(error: unknown): string[] {
  const traces: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (!(at instanceof UserError)) traces.push(at.stack ?? String(at));
  }
  return traces;
}

/** With a full stop where it has none, after a Chinese character the Chinese one; '' stays. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '' || /[.!?…。！？]$/.test(trimmed)) return trimmed;
  return trimmed + (/\p{Script=Han}$/u.test(trimmed) ? '。' : '.');
}
