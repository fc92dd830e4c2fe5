/** A tensor's memory as the debug protocol names it: with the stop that it is of, so that what was read earlier is known as stale. */

/** @param stop the stop's number */
export const memoryReference = (stop: number, tensor: string) => `${stop}/${tensor}`;

/** The tensor's name; undefined for one of another stop, or none. */
export function tensorOfMemory(reference: string, stop: number): string | undefined {
  const before = `${stop}/`;
  return reference.startsWith(before) && reference.length > before.length ? reference.slice(before.length) : undefined;
}
