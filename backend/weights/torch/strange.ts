/** Tensors of kinds that are no plain numbers, by the names that PyTorch files mention for them, and what to do about each. */

const kinds: [name: RegExp, what: string, hint: string][] = [
  [
    /^torch\._utils\._rebuild_qtensor$|^torch\.(storage\.)?(QInt|QUInt)\w*Storage$|^torch\.(quint|qint|per_)\w+$/,
    'its tensors are quantised',
    'Take the weights from before that, in float16, bfloat16 or float32.',
  ],
  [
    /^(torchao|bitsandbytes|optimum\.quanto|quanto|auto_gptq|hqq|transformer_engine|torch\.ao\.quantization|torch\.nn\.quantized)\./,
    'its tensors are quantised',
    'Take the weights from before that, in float16, bfloat16 or float32.',
  ],
  [
    /^torch\._utils\._rebuild_(sparse\w*_tensor|sparse_tensor)$|^torch\.serialization\._get_layout$|^torch\.sparse[._]/,
    'its tensors are sparse',
    'Save them after to_dense().',
  ],
  [
    /^torch\.(storage\.|cuda\.)?Complex\w*Storage$|^torch\.(complex\d+|c(half|float|double))$/,
    'its tensors are complex numbers',
    'No network here has such weights: name the file with the UNet or the EDM network.',
  ],
  [
    /^torch\.(storage\.)?(float8|float4|Float8)_\w+$/,
    'its tensors are float8 or float4',
    'Take the weights in float16, bfloat16 or float32; convert scaled ones with the program that made them.',
  ],
  [
    /^torch\.(u?int[1-7]|bits\w+)$/,
    'its tensors are packed integers',
    'Take the weights in float16, bfloat16 or float32.',
  ],
  [
    /^torch\._utils\._rebuild_meta_tensor_no_storage$/,
    'its tensors are on the meta device and hold no numbers',
    'Save the network after its weights were loaded.',
  ],
  [/^torch\._utils\._rebuild_nested_tensor$/, 'its tensors are nested', 'Save them one by one.'],
  [
    /^(deepspeed|megatron|colossalai|fairscale)\./,
    "its tensors are one process's share of a training",
    'Gather them into one state dict, with zero_to_fp32.py of DeepSpeed or what the program has for it.',
  ],
  [
    /^torch\.distributed\.|^torch\._utils\._rebuild_wrapper_subclass$/,
    'its tensors are spread over several processes',
    'Save the full state dict: get_model_state_dict with full_state_dict=True gathers it.',
  ],
];

/** What a file is that mentions `name` ('torch._utils._rebuild_qtensor'), in words; undefined where nothing is known of it. */
export function strangeTensor(name: string): { readonly what: string; readonly hint: string } | undefined {
  const found = kinds.find(([pattern]) => pattern.test(name));
  return found && { what: found[1], hint: found[2] };
}
