/** What may change when a run is resumed: everything its state and its earlier draws do not depend on, and files on purpose. */
import path from 'node:path';
import { shellLine } from '../../files/shell-words.ts';
import { configKeyOf, type InputFile, type Inputs } from '../../models/input-file.ts';
import { type Config, commandOfKind, isAssigned, sectionOf, valueAt } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';

const fixed: Readonly<Record<Config['kind'], readonly string[]>> = {
  distill: [
    ...['kind', 'seed', 'mixture', 'generator.sigma', 'regression.pairs.count', 'regression.pairs.steps'],
    ...['text.promptColumn', 'text.count', 'text.pairGuidance', 'text.lora'],
  ],
  teach: ['kind', 'seed', 'network', 'data.seed', 'data.count', 'data.useLabels', 'data.mirror'],
  'teach-autoencoder': ['kind', 'seed', 'network', 'data', 'crops'],
  'teach-text-encoder': ['kind', 'seed', 'data', 'vocabulary', 'text_encoder', 'image_encoder', 'embedding'],
  'teach-text': ['kind', 'seed', 'data', 'vocabulary', 'unet', 'text_encoder', 'scheduler'],
};

/** Another file may come in a file's place, but none in place of one, or one where there was none. */
const replaceable = ['data.source', 'vae', 'tokenizer', 'initial', 'initialText'];

const fixedIn = (config: Config) => [
  ...fixed[config.kind],
  ...(config.kind === 'distill' ? (sectionOf(config.method).fixed ?? []) : []),
];

/** Throws UserError('config') that names a key which a resumed run cannot change. */
export function checkChanges(before: Config, after: Config): void {
  const json = (config: Config, key: string) => JSON.stringify(valueAt(config, key));
  const isFile = (value: unknown) => value !== undefined && value !== 'scenes';
  const key =
    fixedIn(before).find((name) => json(before, name) !== json(after, name)) ??
    replaceable.find((name) => isFile(valueAt(before, name)) !== isFile(valueAt(after, name)));
  if (key === undefined) return;
  throw new UserError('config', `${key} cannot change when a run is resumed`, 'Start a new run with it.');
}

/** Something that a run depends on and that holds something else from a resume on, because the person said so. */
export interface InputChange {
  readonly key: string;
  readonly before: InputFile;
  readonly after: InputFile;
}

export interface Resumed {
  /** The run's. */
  readonly folder: string;
  /** With the changes. */
  readonly config: Config;
  /** The changes, `key.of.it=value`. */
  readonly set: readonly string[];
}

/**
 * What holds something else than the run has known it to. What was not recorded then is as it is.
 * @returns what the changes name, be it with the value it had
 * @throws UserError('weights' or 'data') that names file and run and says how to go on, when they do not
 */
export function checkInputs(before: Inputs, now: Inputs, run: Resumed): InputChange[] {
  const changes = Object.entries(now).flatMap(([key, after]): InputChange[] => {
    const known = before[key];
    return known === undefined || known.sha256 === after.sha256 ? [] : [{ key, before: known, after }];
  });
  const unexpected = changes.filter(({ key }) => !isAssigned(run.set, keyIn(run.config, key)));
  if (unexpected.length > 0) throw otherContent(unexpected, run);
  return changes;
}

export function describeChange({ key, before, after }: InputChange): string {
  return `${key}: ${after.path} has ${shown(after)} where the run had ${shown(before)}; it is taken, since the changes name it`;
}

const dataKeys = ['text.prompts', 'regression.pairs.path', 'data.source'];

function otherContent([first, ...others]: readonly InputChange[], { folder, config, set }: Resumed): UserError {
  const { key, before, after } = first!;
  const had = before.path === after.path ? '' : ` ${before.path} with`;
  const more = others.length > 0 ? `; so are ${others.length} more, such as ${others[0]!.after.path}` : '';
  const keys = [...new Set([first!, ...others].map((change) => keyIn(config, change.key)))];
  const assignments = keys.map((name) => `${name}=${String(valueAt(config, name))}`);
  const command = ['dmd', commandOfKind(config.kind), '--resume', folder];
  return new UserError(
    dataKeys.includes(configKeyOf(key)) ? 'data' : 'weights',
    `${after.path} is not the ${key} that the run began with: ${path.basename(folder)} had${had} ${shown(before)}, it has ${shown(after)}${more}`,
    `Put back what it held, or go on with what it holds now: ${shellLine([...command, ...[...set, ...assignments].flatMap((change) => ['--set', change])])}`,
  );
}

/** The key through which the config comes to an input; a model to begin with brings its tokenizer along. */
function keyIn(config: Config, input: string): string {
  const key = configKeyOf(input);
  return [key, 'initialText', 'initial'].find((name) => valueAt(config, name) !== undefined) ?? key;
}

function shown({ sha256 }: InputFile): string {
  return sha256 === '' ? 'no content' : `content ${sha256.slice(0, 12)}`;
}
