/**
 * Names of variables in public code, as they stand in the function that computes the gradient of distribution matching. Where the
 * code divides by a factor, the weight is one over it; where it has none, the weight is left to Eq. 8.
 */
import type { ScoreExpressions } from '../panels/score-watch.ts';

export interface ScorePreset {
  readonly name: string;
  /** The file and function in which to stop. */
  readonly where: string;
  readonly expressions: ScoreExpressions;
}

const none = { weight: '', alpha: '', sigma: '' };

export const scorePresets: readonly ScorePreset[] = [
  {
    name: 'x, x_t, mu_real, mu_fake',
    where: 'the names of the paper',
    expressions: { x: 'x', xt: 'x_t', real: 'mu_real', fake: 'mu_fake', ...none },
  },
  {
    name: 'DMD2, EDM (ImageNet)',
    where: 'main/edm/edm_guidance.py, compute_distribution_matching_loss',
    expressions: {
      ...{ x: 'latents', xt: 'noisy_latents', real: 'pred_real_image', fake: 'pred_fake_image' },
      ...{ weight: '1 / weight_factor', alpha: '1', sigma: 'timestep_sigma' },
    },
  },
  {
    name: 'DMD2, Stable Diffusion',
    where: 'main/sd_guidance.py, compute_distribution_matching_loss',
    expressions: {
      ...{ x: 'latents', xt: 'noisy_latents', real: 'pred_real_image', fake: 'pred_fake_image', weight: '' },
      ...{ alpha: 'self.alphas_cumprod[timesteps] ** 0.5', sigma: '(1 - self.alphas_cumprod[timesteps]) ** 0.5' },
    },
  },
  {
    name: 'Self-Forcing, CausVid',
    where: 'model/dmd.py, _compute_kl_grad',
    expressions: {
      ...{ x: 'estimated_clean_image_or_video', xt: 'noisy_image_or_video' },
      ...{ real: 'pred_real_image', fake: 'pred_fake_image', ...none, weight: '1 / normalizer' },
    },
  },
  {
    name: 'FastGen, DMD2',
    where: 'fastgen/methods/distribution_matching/dmd2.py, _student_update_step',
    expressions: { x: 'gen_data', xt: 'perturbed_data', real: 'teacher_x0', fake: 'fake_score_x0', ...none },
  },
];
