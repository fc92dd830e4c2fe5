/** An iteration of DMD2 with a config's values: what a debugger shows as its source. */
import type { DistillConfig } from '../../protocol/config/index.ts';
import { gradientWords, updateWords } from '../dmd/listing.ts';
import type { ListingLine } from '../method.ts';
import { dmd2Config } from './as-dmd.ts';

/** Lines stand for the stages of one micro-batch; updates come once all of an update's are done. */
export function dmd2Listing(given: DistillConfig): readonly ListingLine[] {
  const config = dmd2Config(given);
  const { matching, gan, steps, batch, accumulation, generator, fake, discriminator, iterations, text } = config;
  const line = (stage: string | null, words: string): ListingLine => ({ stage, text: words });
  const only = (wanted: boolean, ...lines: ListingLine[]) => (wanted ? lines : []);
  const guided = text.prompts !== undefined && text.guidance > 1;
  const weighted = matching.divergence === 'reverse-kl' ? '' : `, weighed for ${matching.divergence}`;
  const gradient = gradientWords[matching.weight];
  const both = gan.enabled && gan.trainsTrunk && gan.features === 'fake';
  const source = steps.from === 'data' ? 'real images' : 'its own images of the steps before';
  const called = steps.at.length > 0 ? `; xIn, tIn = one of ${1 + steps.at.length} steps, noise on ${source}` : '';
  const noisy = `t in ${gan.minStep}..${gan.maxStep}`;
  return [
    line(null, `for step in 1..${iterations}:`),
    line(null, `  for micro in 1..${accumulation}:`),
    line('draw', `    z, conditions, t, eps = draw(${batch})${called}`),
    line('generate', steps.at.length > 0 ? '    x = G(xIn, tIn)' : '    x = G(z)'),
    line('diffuse', `    xt = alpha_t x + sigma_t eps, t in ${matching.minStep}..${matching.maxStep}`),
    line('real score', `    muReal = mu_real(xt, t)${guided ? `, guidance ${text.guidance}` : ''}`),
    line('fake score', '    muFake = mu_fake(xt, t)'),
    line('gradient', `    grad = ${gradient}${weighted}`),
    ...only(
      gan.enabled,
      line('GAN score', `    logits = D(x + noise), ${noisy}`),
      line('GAN loss', `    loss = ${gan.generatorWeight} softplus(-logits)`),
    ),
    ...only(!gan.enabled, line('GAN loss', '    loss = 0')),
    line('generator backward', '    gradient += d (grad x + loss) / d G'),
    line('generator update', `  G = AdamW(G, gradient), ${updateWords(generator)}`),
    line(null, `  for update in 1..${fake.updatesPerStep}, micro in 1..${accumulation}:`),
    line('fake-score draw', `    t, eps${gan.enabled ? `, real images` : ''} = draw()`),
    line('fake-score loss', '    loss = denoising loss of mu_fake on x'),
    ...only(
      gan.enabled,
      line('discriminator', `    fake, real = D(x + noise), D(real + noise), ${noisy}`),
      line(
        'discriminator loss',
        `    lossD = ${gan.discriminatorWeight} (softplus(fake) + softplus(-real)${gan.r1 > 0 ? ` + R1, gamma ${gan.r1}` : ''})`,
      ),
    ),
    line(
      'fake-score backward',
      `    gradient += d ${both ? '(loss + lossD)' : 'loss'} / d mu_fake${gan.enabled ? '; d lossD / d D' : ''}`,
    ),
    line('fake update', `  mu_fake = AdamW(mu_fake, gradient), ${updateWords(fake)}`),
    ...only(gan.enabled, line('discriminator update', `  D = AdamW(D, gradient), ${updateWords(discriminator)}`)),
    line('commit', `  commit G, mu_fake${gan.enabled ? ' and D' : ''}`),
  ];
}
