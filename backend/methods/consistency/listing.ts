/** An iteration of consistency distillation with a config's values: what a debugger shows as its source. */
import type { DistillConfig } from '../../protocol/config/index.ts';
import { updateWords } from '../dmd/listing.ts';
import type { ListingLine } from '../method.ts';
import { consistencyConfig } from './method.ts';

/** What the lines of such an iteration say of a method. */
export interface ConsistencyWords extends Pick<DistillConfig, 'iterations' | 'batch' | 'accumulation'> {
  readonly generator: Parameters<typeof updateWords>[0];
  /** The levels that are drawn, and how the teacher steps between them. */
  readonly drawn: string;
  readonly step: string;
  readonly distance: string;
  readonly decay: number;
}

/** Lines stand for the stages of one micro-batch; the update comes once all of them are done. */
export function consistencyLines({
  iterations,
  batch,
  accumulation,
  generator,
  ...of
}: ConsistencyWords): ListingLine[] {
  const line = (stage: string | null, text: string): ListingLine => ({ stage, text });
  const follows = of.decay > 0;
  return [
    line(null, `for step in 1..${iterations}:`),
    line(null, `  for micro in 1..${accumulation}:`),
    line('draw', `    real, conditions, ${of.drawn}, eps = draw(${batch})`),
    line('diffuse', '    xt = alpha_t real + sigma_t eps'),
    line('teacher step', `    xNext = ${of.step}`),
    line('generate', '    x = f(xt, t)'),
    line('target', `    xTarget = ${follows ? 'target' : 'f'}(xNext, tNext), held still`),
    line('consistency loss', `    loss = ${of.distance}(x, xTarget)`),
    line('generator backward', '    gradient += d loss / d f'),
    line(
      'generator update',
      `  f = AdamW(f, gradient), ${updateWords(generator)}${follows ? `; target = ${of.decay} target + ${Number((1 - of.decay).toPrecision(6))} f` : ''}`,
    ),
    line('commit', `  commit f${follows ? ' and target' : ''}`),
  ];
}

export function consistencyListing(given: DistillConfig): readonly ListingLine[] {
  const config = consistencyConfig(given);
  const { levels, solver, loss, target } = config;
  return consistencyLines({
    ...config,
    drawn: `t of ${levels.count} levels`,
    step: `${solver} step of mu_real from t to the next lower level`,
    distance: loss.distance,
    decay: target.decay,
  });
}
