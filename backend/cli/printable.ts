/**
 * Text for a terminal, which obeys control characters rather than showing them: names and messages come out of folders that
 * anybody may have made, and an escape in one could clear the screen or rename the window.
 */

/** Control characters but for tab and line end, both C0 and C1, as `\x1b`; those that turn the direction of writing as well. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code}`;
  });
}
