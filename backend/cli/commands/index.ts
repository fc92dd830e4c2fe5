/** Every command, in the order of the help. Declarations only: an action imports what it runs when it runs. */
import type { Command } from 'commander';
import { registerData } from './data.ts';
import { registerDebugAdapter } from './debug-adapter.ts';
import { registerDevices } from './devices.ts';
import { registerDistill } from './distill.ts';
import { registerDoctor } from './doctor.ts';
import { registerDownload } from './download.ts';
import { registerEval } from './eval.ts';
import { registerExport } from './export.ts';
import { registerFeatures } from './features.ts';
import { registerImport } from './import.ts';
import { registerPairs } from './pairs.ts';
import { registerRuns } from './runs.ts';
import { registerSample } from './sample.ts';
import { registerScore } from './score.ts';
import { registerStart } from './start.ts';
import { registerTeach } from './teach.ts';
import { registerVerify } from './verify.ts';

export const commands: readonly ((program: Command) => void)[] = [
  registerStart,
  registerDistill,
  registerTeach,
  registerData,
  registerPairs,
  registerSample,
  registerExport,
  registerImport,
  registerDownload,
  registerRuns,
  registerDoctor,
  registerVerify,
  registerDevices,
  registerScore,
  registerEval,
  registerFeatures,
  registerDebugAdapter,
];
