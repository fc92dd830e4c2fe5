/** `kind: "distill"`: what every distillation needs to know; its method adds keys of its own. */

import { consistencySection } from '../../methods/consistency/config.ts';
import { diffInstructSection } from '../../methods/diff-instruct/config.ts';
import { dmdSection } from '../../methods/dmd/config.ts';
import { dmd2Section } from '../../methods/dmd2/config.ts';
import { lcmSection } from '../../methods/lcm/config.ts';
import { progressiveSection } from '../../methods/progressive/config.ts';
import { checkpointKey, choice, recomputeKey, runKeys, whole } from './common.ts';
import { textSection } from './distill-text.ts';
import { mixtureSection, mixtureTeacher } from './mixture.ts';
import { networkSchema } from './network.ts';
import type { Complain, MethodSection } from './section.ts';
import { z } from './zod.ts';

const keys = {
  kind: z.literal('distill').describe('Distill a teacher into a one-step generator.'),
  ...runKeys,
  teacher: z
    .string()
    .min(1)
    .default('builtin:scenes')
    .describe(
      'The teacher: an EDM network-snapshot .pkl, .pt, .safetensors, a diffusers folder, builtin:scenes, or builtin:mixture with ' +
        'the section mixture. Default builtin:scenes.',
    ),
  network: networkSchema
    .optional()
    .describe('The network of a teacher that is a bare state dict; a file that says its own network needs none.'),
  mixture: mixtureSection.optional(),
  iterations: whole(1, 'updates').default(5000).describe('Generator updates. Default 5000 (paper, CIFAR-10: 300000).'),
  batch: whole(1, 'images').default(16).describe('Images per micro-batch. Default 16 (paper, CIFAR-10: 392).'),
  accumulation: whole(1, 'micro-batches')
    .default(1)
    .describe('Micro-batches per update, averaged: batch x accumulation images per update. Default 1.'),
  labels: choice({
    uniform: 'Every class as often as any other.',
    none: 'No class: all zeros, also for a model with classes.',
  })
    .default('uniform')
    .describe('Classes of generated images. Default uniform.'),
  recompute: recomputeKey,
  text: textSection,
  checkpoint: checkpointKey,
};

/** What each method is stands in its section's title. */
const methodDescription = 'How it is distilled. Default dmd.';

function schemaOf<Keys extends z.ZodRawShape>(method: string, section: MethodSection<Keys>) {
  const named = z.literal(method).default(method).describe(methodDescription);
  return z
    .strictObject({ ...keys, method: named, ...section.keys })
    .superRefine((config, context) => {
      const complain: Complain = (path, message) => context.addIssue({ code: 'custom', path, message });
      checkMixture(config as never, complain);
      section.check(config as never, complain);
    })
    .overwrite((config) => recomputeOutside(config as never));
}

function checkMixture(
  { teacher, mixture }: { teacher: string; mixture?: z.infer<typeof mixtureSection> },
  complain: Complain,
): void {
  const { modes, stds } = mixture ?? {};
  if (stds && stds.length !== modes!.length) {
    complain(['mixture', 'stds'], `must be as many as modes, ${modes!.length}`);
  }
  if (mixture && teacher !== mixtureTeacher) complain(['teacher'], `mixture needs "${mixtureTeacher}"`);
  if (!mixture && teacher === mixtureTeacher) complain(['teacher'], `${mixtureTeacher} needs the section mixture`);
}

type Recomputing = { readonly recompute: 'none' | 'blocks'; readonly text: z.infer<typeof textSection> };

/** Where the key was before it was for every teacher: old files and old run folders have it in `text`. */
function recomputeOutside<C extends Recomputing>(config: C): C {
  const { recompute: before, ...text } = config.text;
  return { ...config, recompute: before ?? config.recompute, text };
}

/** The schema of the default method, `dmd`. */
export const distillSchema = schemaOf('dmd', dmdSection);

export type DistillConfig = z.infer<typeof distillSchema>;

/** Schemas by method. */
const schemas = new Map<string, z.ZodType>([['dmd', distillSchema]]);
const sections = new Map<string, MethodSection>([['dmd', dmdSection]]);

/** Makes a method's name and keys known; `methods/` does so with a method. */
export function registerSection(method: string, section: MethodSection): void {
  schemas.set(method, schemaOf(method, section));
  sections.set(method, section);
}

export const methodNames = (): string[] => [...schemas.keys()];

// The editor knows the keys of every method that comes with the program, without its code.
registerSection('dmd2', dmd2Section);
registerSection('diff-instruct', diffInstructSection);
registerSection('consistency', consistencySection);
registerSection('lcm', lcmSection);
registerSection('progressive', progressiveSection);

/** Throws for a name that is not known. */
export function sectionOf(method: string): MethodSection {
  const found = sections.get(method);
  if (!found) throw new Error(`no method '${method}'`);
  return found;
}

/** Undefined for a name that is not known. */
export const distillSchemaOf = (method: string) => schemas.get(method) as typeof distillSchema | undefined;
