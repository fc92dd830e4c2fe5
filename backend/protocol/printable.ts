/**
 * Text for a terminal, which obeys control characters rather than showing them: names and messages come out of folders that
 * anybody may have made, and an escape in one could clear the screen or rename the window.
 */

/** Control characters but for tab and line end, both C0 and C1, as `\u001b`; those that turn the direction of writing as well. */
export function printable(text: string): string {
  return text.replace(
    /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
