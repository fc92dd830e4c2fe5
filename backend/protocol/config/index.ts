/** Configs of runs (`*.dmd.json`): their schemas, reading them, and what the editor needs to help write them. */
export { type ConfigKind, commandOfKind, configKinds, type DeviceName, devices } from './common.ts';
export { depthFault, readRoughly } from './depth.ts';
export { type DistillConfig, methodNames, registerSection, sectionOf } from './distill.ts';
export { matchingWeights } from './matching-keys.ts';
export { type MixtureConfig, mixtureTeacher } from './mixture.ts';
export { modelTypes, type NetworkConfig, networkSchema, preconditionings } from './network.ts';
export { applyOverrides, isAssigned } from './overrides.ts';
export { type Config, configJsonSchema, configProblems, configSchema, parseConfig } from './parse.ts';
export { mapPaths } from './paths.ts';
export { type Located, type ProblemCode, problemCodes } from './problems.ts';
export { type SchedulePoints, scheduleValue } from './schedule.ts';
export type { MethodSection } from './section.ts';
export { editDistance, nearest } from './suggest.ts';
export { type TeachConfig, teachSchema } from './teach.ts';
export { type TeachAutoencoderConfig, teachAutoencoderSchema } from './teach-autoencoder.ts';
export { type TeachTextConfig, teachTextSchema } from './teach-text.ts';
export { type TeachTextEncoderConfig, teachTextEncoderSchema } from './teach-text-encoder.ts';
export { valueAt } from './value-at.ts';
