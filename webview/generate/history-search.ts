/** Which generations fit a search: every word of it is in what they were asked or in who made them. Knows no page. */
import type { Entry } from '../../backend/protocol/panels/generate.ts';

export function matches(entry: Entry, search: string): boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = textOf(entry);
  return words.every((word) => text.includes(word));
}

function textOf({ sides }: Entry): string {
  const parts = sides.flatMap(({ settings, title, device, images }) => [
    ...[
      settings.prompt ?? '',
      settings.negative ?? '',
      title,
      settings.model,
      settings.sampler ?? '',
      settings.decoder ?? '',
      device,
    ],
    ...images.flatMap(({ seed, className }) => [String(seed), className]),
  ]);
  return [...new Set(parts)].join('\n').toLowerCase();
}
