/** Configs as people write them, and what is set on the command line. */
import fs from 'node:fs';
import { parseConfig } from '../../../backend/protocol/config/index.ts';
import { applyOverrides } from '../../../backend/protocol/config/overrides.ts';
import { configFromText } from '../../../backend/runs/config-file.ts';
import { ConfigChecker } from '../../../backend/server/configs/check.ts';
import type { Dice } from '../dice.ts';
import { damaged } from '../make/bytes.ts';
import { worseJsonText } from '../make/json.ts';
import { once, ours, type Reader } from '../reader.ts';
import { all } from './together.ts';

export const presets = [
  'media/scenes/generator.dmd.json',
  'media/scenes/teacher.dmd.json',
  'media/scenes-text/student.dmd.json',
  'media/scenes-text/vae.dmd.json',
  'media/scenes-text/text-encoder.dmd.json',
  'media/scenes-text/teacher.dmd.json',
  'media/presets/first-run.dmd.json',
];
const withoutComments = (text: string) => text.replace(/^\s*\/\/.*$/gm, '').replace(/,(\s*[}\]])/g, '$1');
const checker = new ConfigChecker(async () => []);

export const configs: Reader = {
  name: 'config',
  read(folder) {
    const text = fs.readFileSync(`${folder}/a.dmd.json`, 'utf8');
    const set = fs.readFileSync(`${folder}/set.txt`, 'utf8').split('\n');
    return all(
      () => configFromText(text, `${folder}/a.dmd.json`),
      () => checker.problems(text, `${folder}/a.dmd.json`),
      () =>
        applyOverrides(
          once('a config', () => parseConfig(ours(presets[0]!).toString(), 'x')),
          set,
        ),
    );
  },
  make(dice) {
    const text = ours(dice.of(presets)).toString('utf8');
    const value = worseJsonText(dice.of(['0.5', '"x"', '[1]', '{"a": 1}']), dice);
    const made = dice.chance(0.3) ? damaged(text, dice).toString('utf8') : readableJson(text, dice);
    return {
      'a.dmd.json': made,
      'set.txt': `${dice.of(['seed', 'regression.lambda', 'a.b', '__proto__.x', 'generator', ''])}=${value}`,
    };
  },
};

/** A config, or other JSON, made worse; the comments of a config go. */
export function readableJson(text: string, dice: Dice): string {
  const plain = withoutComments(text);
  try {
    return worseJsonText(plain, dice);
  } catch {
    return damaged(text, dice).toString('utf8');
  }
}
