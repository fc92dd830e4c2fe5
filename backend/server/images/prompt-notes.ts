/** What a person should know of their prompt: what was cut off, and words that the model has never seen. */
import type { PromptReading } from '../../sampling/text/text-request.ts';

export function promptNotes({ truncated, unknownWords }: PromptReading): string[] {
  const notes: string[] = [];
  if (truncated !== '') notes.push(`The prompt is too long for this model; this was cut off: ${shortened(truncated)}`);
  if (unknownWords.length > 0) notes.push(`This model does not know: ${shortened(unknownWords.join(', '))}`);
  return notes;
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
