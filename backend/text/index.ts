/** Text for text encoders: CLIP's tokenizer, and how a small vocabulary for it is made. */
export { ClipTokenizer, type EncodedPrompt, type TokenizerOptions } from './clip-tokenizer.ts';
export { type TokenizerFileName, type TokenizerFiles, tokenizerFileNames } from './tokenizer-folder.ts';
export { LEAST_VOCABULARY, trainBpe, vocabularyFiles } from './train-bpe.ts';
export type { Vocabulary } from './vocabulary.ts';
