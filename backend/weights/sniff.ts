/**
 * What a file is, by its content. Names mislead: `.bin` and `.pth` are zips or pickles, and a failed download is a web
 * page or a pointer under the name of the model.
 */
import { refuse } from './refusal.ts';

export type FileKind = 'safetensors' | 'zip' | 'pickle';

/** How many bytes from the start `sniff` wants. */
export const sniffLength = 512;

const fetchAgain = 'Fetch the file itself again.';
const unpackHint = 'Unpack it and name the weights file inside.';

/** Files that are often given by mistake, by how they start. */
const mistakes: [start: string | number[], what: string, hint: string][] = [
  [
    'version https://git-lfs',
    'this is a Git LFS pointer, not the file itself',
    "Run 'git lfs pull' where it came from.",
  ],
  [[0x1f, 0x8b], 'this is a gzip archive', unpackHint],
  [[0x28, 0xb5, 0x2f, 0xfd], 'this is a Zstandard archive', unpackHint],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'this is an xz archive', unpackHint],
  ['BZh', 'this is a bzip2 archive', unpackHint],
  ['7z\xbc\xaf', 'this is a 7-Zip archive', unpackHint],
  ['\x89HDF', 'this is an HDF5 file (Keras?)', 'Convert it to safetensors.'],
  ['GGUF', 'this is a GGUF file', 'Convert it to safetensors.'],
  ['\x93NUMPY', 'this is a NumPy array', 'Convert it to safetensors.'],
  ['\x89PNG', 'this is a PNG picture', 'Name a weights file.'],
  ['%PDF', 'this is a PDF', 'Name a weights file.'],
];

/** @param head the file's first bytes. Refuses, with what it is instead, a file that holds no weights. */
export function sniff(head: Uint8Array, fileSize: number): FileKind {
  if (fileSize === 0) refuse('the file is empty', fetchAgain);
  for (const [start, what, hint] of mistakes) if (startsWith(head, start)) refuse(what, hint);
  if (startsWith(head, 'PK\x03\x04') || startsWith(head, 'PK\x05\x06')) return 'zip';
  const text = Buffer.from(head).toString('latin1');
  if (/^(\xef\xbb\xbf)?\s*<(!doctype|html|head|\?xml|!--)/i.test(text)) {
    refuse('this is a web page, not a weights file: the download failed', `${fetchAgain} It may need a login.`);
  }
  // A model's first field is the version of the format, its second the name of the program that wrote it.
  if (head[0] === 0x08 && head[1]! < 0x20 && head[2] === 0x12 && /^[\w. -]+$/.test(text.slice(4, 4 + head[3]!))) {
    refuse('this is an ONNX file', 'Name the weights that it was made of.');
  }
  if (text.slice(257, 262) === 'ustar') refuse('this is a tar archive', unpackHint);
  if (looksLikeSafetensors(head)) return 'safetensors';
  if (head[0] === 0x80 && head[1] <= 5) return 'pickle';
  if (/^\s*[{[]\s*["\]}{[]/.test(text)) {
    refuse('this is JSON text, not a weights file', 'Name the .safetensors or .bin file it belongs to.');
  }
  // Protocol 0 has no mark of its own: it starts with a mark, an empty container or a global's name.
  if (/^(\((dp?\d*\n|lp?\d*\n)|[\]})]|c[\w.]+\n\w+\n)/.test(text)) return 'pickle';
  const start = Buffer.from(head.subarray(0, 8)).toString('hex');
  return refuse(
    `this is no weights file (it starts with ${start})`,
    'Readable are safetensors, PyTorch .pt/.bin/.pth files and EDM network-snapshot*.pkl.',
  );
}

/** A header length, then the header's brace; a file whose length is damaged still goes to the reader that can say so. */
function looksLikeSafetensors(head: Uint8Array): boolean {
  return head.length > 8 && head[8] === 0x7b && (head[9] === 0x22 || head[9] === 0x7d || head[9] === 0x20);
}

function startsWith(head: Uint8Array, start: string | number[]): boolean {
  const bytes = typeof start === 'string' ? Buffer.from(start, 'latin1') : start;
  return bytes.every((byte, i) => head[i] === byte);
}
