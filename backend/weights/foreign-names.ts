/** What a file is whose tensors are those of no network here, by their names: what people give in place of a network's weights. */
import { refuse } from './refusal.ts';

const kinds: readonly [some: RegExp, what: string, hint: string][] = [
  [
    /^lora_(unet|te\d?)_|[._](lora_(A|B|up|down)|hada_w1_a|lokr_w1)([._]|$)|_lora\.(up|down)\./,
    'it holds a LoRA, which is added to the weights of a model and is none itself',
    'Merge it into the model with the program that made it, and give the merged weights.',
  ],
  [
    /(^|\.)_?flat_param(_\d+)?$/,
    'its parameters are flattened, as FSDP keeps them',
    'Save the full state dict: FSDP.state_dict_type(..., StateDictType.FULL_STATE_DICT) gathers it.',
  ],
  [
    /^(emb_params|string_to_param(\..*)?|\*)$/,
    'it holds an embedding (textual inversion), not the weights of a network',
    'Name the file with the UNet.',
  ],
  [
    /^((module|control_model)\.)?(controlnet_cond_embedding|input_hint_block)\./,
    'it holds a ControlNet, which stands beside a UNet',
    'Name the file with the UNet.',
  ],
  [
    /^(model\.diffusion_model|diffusion_model|model_ema\.diffusion_model)?\.?(input_blocks|output_blocks|middle_block)\.\d/,
    'its tensors have the names of the original Stable Diffusion code (CompVis), as in files of one piece',
    "Make a diffusers folder of it, with diffusers' scripts/convert_original_stable_diffusion_to_diffusers.py.",
  ],
  [
    /^(double_blocks|joint_blocks|model\.diffusion_model\.(double|joint)_blocks|transformer_blocks)\.\d/,
    'its tensors are those of a diffusion transformer (SD 3, Flux and the like)',
    'Only the networks of Stable Diffusion 1 and 2, and those of EDM, are here.',
  ],
];

const longestName = 300;

/** Refuses, by what they are, names that a well-known other kind of file has. */
export function refuseForeignNames(names: Iterable<string>): void {
  for (const name of names) {
    const found = kinds.find(([some]) => some.test(name.slice(0, longestName)));
    if (found) refuse(`${found[1]} (${name.slice(0, 100)})`, found[2]);
  }
}
