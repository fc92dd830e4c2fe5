/** The keys of a config that hold paths. */
import type { Config } from './parse.ts';

/** The config with every path replaced; `builtin:...` and `scenes` are names, not paths. */
export function mapPaths(config: Config, replace: (path: string) => string): Config {
  const given = (value: string) => (value.startsWith('builtin:') ? value : replace(value));
  const out = config.out === undefined ? {} : { out: given(config.out) };
  if (config.kind === 'teach') {
    const { source } = config.data;
    const initial = config.initial === undefined ? {} : { initial: given(config.initial) };
    return {
      ...config,
      ...out,
      ...initial,
      data: { ...config.data, source: source === 'scenes' ? source : given(source) },
    };
  }
  if (config.kind === 'teach-autoencoder') {
    return { ...config, ...out, ...(config.initial === undefined ? {} : { initial: given(config.initial) }) };
  }
  if (config.kind === 'teach-text-encoder') {
    return { ...config, ...out, ...(config.tokenizer === undefined ? {} : { tokenizer: given(config.tokenizer) }) };
  }
  if (config.kind === 'teach-text') {
    const { initialText, initial, tokenizer, vae } = config;
    return {
      ...config,
      ...out,
      vae: given(vae),
      ...(tokenizer === undefined ? {} : { tokenizer: given(tokenizer) }),
      ...(initialText === undefined ? {} : { initialText: given(initialText) }),
      ...(initial === undefined ? {} : { initial: given(initial) }),
    };
  }
  const { lpipsWeights, vggWeights, pairs } = config.regression;
  const { prompts, decoder } = config.text;
  return {
    ...config,
    ...out,
    teacher: given(config.teacher),
    regression: {
      ...config.regression,
      ...(lpipsWeights === undefined ? {} : { lpipsWeights: given(lpipsWeights) }),
      ...(vggWeights === undefined ? {} : { vggWeights: given(vggWeights) }),
      pairs: pairs.path === undefined ? pairs : { ...pairs, path: given(pairs.path) },
    },
    text: {
      ...config.text,
      ...(prompts === undefined ? {} : { prompts: prompts === 'scenes' ? prompts : given(prompts) }),
      ...(decoder === undefined ? {} : { decoder: given(decoder) }),
    },
  };
}
