/** A Python with PyTorch, and whether it computes on a graphics card. */

import { findTorch } from '../bench/lib/torch.ts';
import { said } from '../bench/table/process.ts';

export type TorchFound =
  | { readonly missing: string }
  | { readonly python: string; readonly version: string; readonly device: 'cuda' | 'cpu'; readonly name: string };

const asked = 'import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else "")';

export function findTorchDevice(): TorchFound {
  const found = findTorch();
  if ('missing' in found) return found;
  const name = said(found.python, ['-c', asked]);
  return { ...found, device: name === '' ? 'cpu' : 'cuda', name: name || 'the CPU' };
}
