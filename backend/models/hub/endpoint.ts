/** Where the hub is: huggingface.co, or the mirror that HF_ENDPOINT names, as for Python's package. */
import { UserError } from '../../protocol/errors.ts';

/** Without a slash at its end. Throws UserError('usage') when HF_ENDPOINT is no web address. */
export function hubEndpoint(env: NodeJS.ProcessEnv = process.env): string {
  const named = env.HF_ENDPOINT?.trim() || 'https://huggingface.co';
  if (URL.canParse(named) && /^https?:$/.test(new URL(named).protocol)) return named.replace(/\/+$/, '');
  const hint = 'Give one like https://huggingface.co, or unset it.';
  throw new UserError('usage', `HF_ENDPOINT is no web address: ${JSON.stringify(named)}`, hint);
}
