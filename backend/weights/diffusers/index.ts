/** Diffusers folders, read and written. */
export { type Component, componentOf, configOf, refuseOtherPipelines, textToImageClasses } from './components.ts';
export { modelFile } from './contained.ts';
export { type DiffusersFolder, dmdFile, indexFile, isDiffusersFolder, openDiffusersFolder } from './folder.ts';
export { type JsonObject, readJsonObject, readText } from './json-file.ts';
export { type OnnxFiles, type OnnxPart, onnxFilesOf, onnxParts, onnxWeightsOf } from './onnx-files.ts';
export {
  type ExpectedTensors,
  openComponentWeights,
  readComponentWeights,
  readKeyedWeights,
  readNetworkWeights,
} from './read-weights.ts';
export { chooseWeights, hasVariant, type WeightFiles, type WeightNames, weightFilesOf } from './weight-files.ts';
export {
  diffusersVersion,
  type ModelToWrite,
  type NetworkToWrite,
  writeComponent,
  writeDiffusersFolder,
  writeJson,
  writeTokenizer,
} from './write.ts';
