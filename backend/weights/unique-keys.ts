/**
 * Finds a key that occurs twice in one object of a JSON text. JSON.parse keeps the last of them without a word, so two
 * readers of one file could see two different tensors under one name.
 */

/** @param json valid JSON. @returns the first key that repeats within its object, undefined when none does */
export function repeatedKey(json: string): string | undefined {
  /** The keys of each object that is open, null for an array. */
  const open: (Set<string> | null)[] = [];
  for (let i = 0; i < json.length; i++) {
    const char = json[i];
    if (char === '{') open.push(new Set());
    else if (char === '[') open.push(null);
    else if (char === '}' || char === ']') open.pop();
    else if (char === '"') {
      const start = i;
      i = endOfString(json, i);
      if (!colonFollows(json, i)) continue;
      const key = JSON.parse(json.slice(start, i + 1)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}

/** From a string's opening quote to its closing one. */
function endOfString(json: string, quote: number): number {
  let i = quote + 1;
  while (json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
  return i;
}

function colonFollows(json: string, quote: number): boolean {
  let i = quote + 1;
  while (' \t\n\r'.includes(json[i])) i++;
  return json[i] === ':';
}
