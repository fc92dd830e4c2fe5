/**
 * How deep the text of a config is nested: parsers of JSON with comments, and all who walk what they give, go as deep, and a few
 * kilobytes of brackets would end them.
 */
import { createScanner, parse } from 'jsonc-parser';

/** Lists and objects in one another. */
export const deepest = 50;

/** Where a text is nested deeper than any config, in characters from its start; undefined where it is not. */
export function depthFault(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let level = 0;
  while (scanner.getPosition() < text.length) {
    scanner.scan(); // a text or a comment is one token
    const offset = scanner.getTokenOffset();
    if ('{['.includes(text[offset]!)) level++;
    else if ('}]'.includes(text[offset]!)) level--;
    if (level > deepest) return offset;
  }
  return undefined;
}

/** What a text says that may have mistakes, as far as it can be read; undefined for one that is nested deeper than any config. */
export function readRoughly(text: string): unknown {
  return depthFault(text) === undefined ? parse(text, [], { allowTrailingComma: true }) : undefined;
}
