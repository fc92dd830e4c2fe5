/** OpenVINO as devices: found and loaded once in a thread, tried before it is believed. */
import { UserError } from '../../protocol/errors.ts';
import type { Engine } from '../engine.ts';
import { createOpenVinoEngine } from './engine.ts';
import { findOpenVino } from './find.ts';
import { OpenVinoLibrary } from './library.ts';
import { type OpenVinoDevice, openVinoTargets } from './targets.ts';

let loaded: OpenVinoLibrary | null = null;

/** Throws UserError('device') where there is no OpenVINO, or where it has no such device. */
export function openOpenVino(name: OpenVinoDevice, threads: number): Engine {
  const target = openVinoTargets[name];
  const library = load();
  const core = library.create('ov_core_create');
  try {
    const devices = library.devices(core);
    if (!devices.some((device) => device === target.device || device.startsWith(`${target.device}.`))) {
      throw unavailable(`OpenVINO ${library.version} lists ${devices.join(', ') || 'no device'} here`);
    }
    if (target.precision === 'bf16' && !library.property(core, 'CPU', 'OPTIMIZATION_CAPABILITIES').includes('BF16')) {
      throw unavailable('this processor does not compute in bfloat16');
    }
  } finally {
    library.release('core', core);
  }
  return createOpenVinoEngine(library, target, threads);
}

/** Which OpenVINO runs it, for people. Throws UserError('device') where there is none. */
export function openVinoInWords(): string {
  return `OpenVINO ${load().version}`;
}

function load(): OpenVinoLibrary {
  if (loaded) return loaded;
  const found = findOpenVino();
  if ('reason' in found) throw unavailable(found.reason);
  try {
    loaded = new OpenVinoLibrary(found.path);
  } catch (error) {
    throw unavailable(`${found.path} cannot be used (2026.4 is the oldest that can): ${(error as Error).message}`);
  }
  return loaded;
}

const unavailable = (why: string) => new UserError('device', why, 'docs/devices.md says how to get it.');
