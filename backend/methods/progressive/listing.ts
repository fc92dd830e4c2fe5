/** An iteration of progressive distillation with a config's values: what a debugger shows as its source. */
import type { DistillConfig } from '../../protocol/config/index.ts';
import { updateWords } from '../dmd/listing.ts';
import type { ListingLine } from '../method.ts';
import { progressiveConfig } from './as-dmd.ts';
import { stagesOf } from './stages.ts';

const weightWords = { 'truncated-snr': 'max(1/sigma_i^2, 1)', 'snr+1': '(1/sigma_i^2 + 1)' } as const;

/** Lines stand for the stages of one micro-batch; the update comes once all of an update's are done. */
export function progressiveListing(given: DistillConfig): readonly ListingLine[] {
  const config = progressiveConfig(given);
  const { batch, accumulation, iterations, generator, loss } = config;
  const line = (stage: string | null, words: string): ListingLine => ({ stage, text: words });
  const stages = stagesOf(config).filter(({ first }) => first <= iterations);
  const begins = stages.map(({ steps, first }) => `${steps.length} from ${first}`).join(', ');
  return [
    line(null, `for step in 1..${iterations}:  # the student's N steps: ${begins}`),
    line(null, `  for micro in 1..${accumulation}:`),
    line('draw', `    xReal, eps, i = draw(${batch}), i in 0..N-1`),
    line('diffuse', '    xt = xReal + sigma_i eps'),
    line(
      'first teacher step',
      '    muReal = teacher(xt, sigma_i), xMiddle = its step from there, half of the way to sigma_(i+1)',
    ),
    line('second teacher step', '    xTarget = the image of one step from xt to where the teacher is after another'),
    line('student', '    x = student(xt, sigma_i)'),
    line('loss', `    loss = mean ${weightWords[loss.weight]} (x - xTarget)^2`),
    line('backward', '    gradient += d loss / d student'),
    line(
      'generator update',
      `  student = Adam(student, gradient), ${updateWords(generator)}, ${generator.decay} in each stage`,
    ),
    line('commit', '  commit student; after the last step of a stage it is the teacher'),
  ];
}
