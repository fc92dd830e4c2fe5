/** Algorithm 1 as this method runs it, with a config's values: what a debugger shows as its source. */
import type { DistillConfig } from '../../protocol/config/index.ts';
import type { ListingLine } from '../method.ts';

/** The matching gradient by its weight (`matching.weight`). */
export const gradientWords = {
  eq8: '(muFake - muReal) / mean|x - muReal|',
  'eq8-alpha': 'alpha (muFake - muReal) / mean|x - muReal|',
  'sigma/alpha': 'alpha / sigma (muFake - muReal)',
  'sigma^3/alpha': 'alpha sigma (muFake - muReal)',
  'sigma^2/alpha': 'alpha (muFake - muReal)',
};

/**
 * Lines stand for the stages of one micro-batch; updates come once all of an update's are done.
 * @param drawn how levels are drawn, where that is not uniformly
 */
export function dmdListing(config: DistillConfig, drawn = ''): readonly ListingLine[] {
  const { matching, regression, batch, accumulation, generator, fake, iterations, text } = config;
  const line = (stage: string | null, words: string): ListingLine => ({ stage, text: words });
  const matches = matching.enabled;
  const trains = matches && !matching.realOnly;
  const guided = text.prompts !== undefined && text.guidance > 1;
  const pairs = regression.batch ?? batch;
  const gradient = gradientWords[matching.weight];
  const only = (wanted: boolean, ...lines: ListingLine[]) => (wanted ? lines : []);
  return [
    line(null, `for step in 1..${iterations}:`),
    line(null, `  for micro in 1..${accumulation}:`),
    line('draw', `    z, conditions, t, eps = draw(${batch}${regression.enabled ? `) and ${pairs} pairs` : ')'}`),
    line('generate', '    x = G(z)'),
    ...only(
      matches,
      line('diffuse', `    xt = alpha_t x + sigma_t eps, t in ${matching.minStep}..${matching.maxStep}${drawn}`),
      line('real score', `    muReal = mu_real(xt, t)${guided ? `, guidance ${text.guidance}` : ''}`),
      ...only(trains, line('fake score', '    muFake = mu_fake(xt, t)')),
      line('gradient', `    grad = ${trains ? gradient : gradient.replaceAll('muFake', 'x')}`),
    ),
    line(
      'regression',
      regression.enabled
        ? `    loss = lambda ${regression.distance}(G(zRef), yRef), lambda ${regression.lambda}`
        : '    loss = 0',
    ),
    line('generator backward', '    gradient += d (grad x + loss) / d G'),
    line('generator update', `  G = AdamW(G, gradient), ${updateWords(generator)}`),
    ...only(
      trains,
      line(null, `  for update in 1..${fake.updatesPerStep}, micro in 1..${accumulation}:`),
      line('fake-score draw', `    t, eps = draw()${drawn}`),
      line('fake-score loss', '    loss = denoising loss of mu_fake on x'),
      line('fake-score backward', '    gradient += d loss / d mu_fake'),
      line('fake update', `  mu_fake = AdamW(mu_fake, gradient), ${updateWords(fake)}`),
    ),
    line('commit', '  commit G and mu_fake'),
  ];
}

export function updateWords({
  lr,
  warmup,
  weightDecay,
  clip,
}: Pick<DistillConfig['fake'], 'lr' | 'warmup' | 'weightDecay' | 'clip'>): string {
  const rate = warmup > 0 ? `lr ${lr} after ${warmup} steps` : `lr ${lr}`;
  return [rate, `weight decay ${weightDecay}`, ...(clip > 0 ? [`clip ${clip}`] : [])].join(', ');
}
