/** What the host wrote into the page before its script ran: settings and translated strings. */
import type { z } from '../../backend/protocol/config/zod.ts';

/** Throws when it does not fit: page and host are of one build, so that would be a bug. */
export function readInitial<T>(schema: z.ZodType<T>): T {
  const element = document.getElementById('initial');
  return schema.parse(JSON.parse(element?.textContent ?? 'null'));
}

/** Puts values into a translated text: `step {0} of {1}`. */
export function fill(text: string, ...values: readonly (string | number)[]): string {
  return text.replace(/\{(\d+)\}/g, (whole, index) => String(values[Number(index)] ?? whole));
}
