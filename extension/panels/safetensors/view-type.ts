export const safetensorsViewType = 'dmd.safetensors';
