/** What may change when a run is resumed: everything its state and its earlier draws do not depend on. */
import type { Config } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import type { SessionPlan } from '../../training/session.ts';

const fixed: Readonly<Record<Config['kind'], readonly string[]>> = {
  distill: [
    ...['kind', 'seed', 'generator.sigma', 'regression.pairs'],
    ...['text.prompts', 'text.promptColumn', 'text.count', 'text.pairGuidance', 'text.lora'],
  ],
  teach: ['kind', 'seed', 'network', 'data', 'initial'],
  'teach-autoencoder': ['kind', 'seed', 'network', 'data', 'initial', 'crops'],
  'teach-text-encoder': [
    ...['kind', 'seed', 'data', 'tokenizer', 'vocabulary', 'text_encoder', 'image_encoder', 'embedding'],
  ],
  'teach-text': [
    ...['kind', 'seed', 'data', 'vae', 'tokenizer', 'vocabulary', 'unet', 'text_encoder', 'initial', 'initialText'],
    ...['scheduler'],
  ],
};

/** Throws UserError('config') that names a key which a resumed run cannot change. */
export function checkChanges(before: Config, after: Config): void {
  for (const key of fixed[before.kind]) {
    if (JSON.stringify(valueAt(before, key)) === JSON.stringify(valueAt(after, key))) continue;
    throw new UserError('config', `${key} cannot change when a run is resumed`, 'Start a new run with it.');
  }
}

/**
 * Throws UserError('weights') that names the file when one that the run began with is another one now.
 * @param state what the checkpoint says
 */
export function checkInputs(state: unknown, inputs: SessionPlan['inputs']): void {
  const before = (state as Partial<Pick<SessionPlan, 'inputs'>> | undefined)?.inputs ?? {};
  for (const [key, { path, sha256 }] of Object.entries(inputs)) {
    if (before[key] === undefined || before[key].sha256 === sha256) continue;
    throw new UserError(
      'weights',
      `${path} is not the ${key} that the run began with (${before[key].path}): its SHA-256 is another`,
      `Name that file with --set ${key}=..., or start a new run.`,
    );
  }
}

function valueAt(value: unknown, path: string): unknown {
  return path.split('.').reduce((inside, key) => (inside as Record<string, unknown> | undefined)?.[key], value);
}
