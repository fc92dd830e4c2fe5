/** Every command, in the order of the help. Declarations only: an action imports what it runs when it runs. */
import type { Command } from 'commander';
import { registerDevices } from './devices.ts';
import { registerFeatures } from './features.ts';
import { registerScore } from './score.ts';
import { registerVerify } from './verify.ts';

export const commands: readonly ((program: Command) => void)[] = [registerVerify, registerDevices, registerFeatures, registerScore];
