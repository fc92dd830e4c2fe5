/**
 * What pictures of other programs say about their making: whose they are, and their prompt and seed where they can be read.
 * AUTOMATIC1111's web UI and its relatives write lines under `parameters`, ComfyUI its graph as JSON under `prompt` and
 * `workflow`, others one JSON object (foreign-json.ts). What is read may come from anywhere: it is checked, never trusted.
 */
import type { ForeignPicture } from '../protocol/rpc/images.ts';
import { readComfyGraph } from './comfy-graph.ts';
import { fromJson } from './foreign-json.ts';

const longestPrompt = 10_000;
const longestName = 60;

/** @param text the chunks of a PNG, by key; null where they name no program */
export function readForeignPicture(text: Readonly<Record<string, string>>): ForeignPicture | null {
  const found = fromWebUi(text) ?? fromJson(text) ?? fromComfy(text) ?? fromOurs(text) ?? fromSoftware(text);
  if (!found) return null;
  const kept = (words: string | null) => (words !== null && words.length <= longestPrompt ? words : null);
  const seed = found.seed !== null && /^\d{1,20}$/.test(found.seed) ? found.seed : null;
  return { ...found, seed, prompt: kept(found.prompt), negative: kept(found.negative) };
}

const nothing = { prompt: null, negative: null, seed: null };

/** The prompt's lines, those of the negative one, and a last one: `Steps: 20, Sampler: Euler a, Seed: 1, Size: 512x512, ...`. */
function fromWebUi({ parameters }: Readonly<Record<string, string>>): ForeignPicture | null {
  if (parameters === undefined) return null;
  const lines = parameters.split(/\r\n|\n|\r/);
  const last = lines.findLastIndex((line) => /^Steps: \d+/.test(line));
  if (last < 0) return null;
  const words = lines.slice(0, last).join('\n');
  const at = words.search(/^Negative prompt:/m);
  // Forge writes its version as f2.0 and the like.
  const settings = lines[last] ?? '';
  const isForge = /, Version: f\d/.test(settings);
  return {
    program: isForge ? 'Stable Diffusion WebUI Forge' : "AUTOMATIC1111's web UI",
    prompt: (at < 0 ? words : words.slice(0, at)).trim(),
    negative:
      at < 0
        ? null
        : words
            .slice(at)
            .replace(/^Negative prompt:/, '')
            .trim(),
    seed: /(?:^|, )Seed: (\d+)(?:,|$)/.exec(settings)?.[1] ?? null,
  };
}

function fromComfy({ prompt, workflow }: Readonly<Record<string, string>>): ForeignPicture | null {
  const graph = readComfyGraph(prompt) ?? readComfyGraph(workflow);
  return graph && { program: 'ComfyUI', ...graph };
}

/** A picture of this program that was made with more than its settings can say, or a grid of several. */
function fromOurs(text: Readonly<Record<string, string>>): ForeignPicture | null {
  if (!text.Software?.startsWith('DMD Workbench')) return null;
  const { 'dmd.prompt': prompt = null, 'dmd.negative': negative = null, 'dmd.seed': seed = null } = text;
  return { program: 'DMD Workbench', prompt, negative, seed };
}

function fromSoftware({ Software }: Readonly<Record<string, string>>): ForeignPicture | null {
  const program = Software?.trim() ?? '';
  return program === '' ? null : { program: program.slice(0, longestName), ...nothing };
}
