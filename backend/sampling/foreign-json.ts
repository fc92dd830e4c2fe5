/** Programs that write what made a picture as one JSON object: InvokeAI, SwarmUI, Fooocus and NovelAI. */
import type { ForeignPicture } from '../protocol/rpc/images.ts';
import { parseLoosely } from './comfy-graph.ts';

type JsonObject = Readonly<Record<string, unknown>>;
type Text = Readonly<Record<string, string>>;

/** @param text the chunks of a PNG, by key; null where they are of none of these */
export function fromJson({
  parameters,
  invokeai_metadata: invoke,
  Software,
  Description,
  Comment,
}: Text): ForeignPicture | null {
  const invoked = objectOf(invoke);
  if (invoked) return picture('InvokeAI', invoked, 'positive_prompt', 'negative_prompt');
  const own = objectOf(parameters);
  const swarm = own && asObject(own.sui_image_params);
  if (swarm) return picture('SwarmUI', swarm, 'prompt', 'negativeprompt');
  if (own) {
    const isFooocus = typeof own.version === 'string' && own.version.startsWith('Fooocus');
    return picture(isFooocus ? 'Fooocus' : 'another program', own, 'prompt', 'negative_prompt');
  }
  if (Software !== 'NovelAI') return null;
  const comment = objectOf(Comment) ?? {};
  const { prompt, ...rest } = picture('NovelAI', comment, 'prompt', 'uc');
  return { ...rest, prompt: Description ?? prompt };
}

function picture(program: string, settings: JsonObject, prompt: string, negative: string): ForeignPicture {
  const { seed } = settings;
  const isSeed = typeof seed === 'string' || (typeof seed === 'number' && Number.isSafeInteger(seed));
  return {
    program,
    prompt: words(settings[prompt]),
    negative: words(settings[negative]),
    seed: isSeed ? String(seed) : null,
  };
}

const words = (value: unknown) => (typeof value === 'string' ? value : null);

function objectOf(json: string | undefined): JsonObject | null {
  return json === undefined || !/^\s*\{/.test(json) ? null : asObject(parseLoosely(json));
}

function asObject(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}
