/** Whether less or more of a recorded number is better, as far as its name says. */

const less = /(^|[/_. -])(loss|fid|fd|kid|lpips|error|mse|perplexity)/i;
const more = /(^|[/_. -])(accuracy|acc|psnr|ssim|quality|recall|precision)/i;

/** null: nobody can say. */
export function better(tag: string): 'least' | 'greatest' | null {
  if (less.test(tag)) return 'least';
  return more.test(tag) ? 'greatest' : null;
}
