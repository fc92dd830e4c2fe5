/** A PNG without its text: for people who do not want a picture to tell how it was made. Knows no `vscode`. */

const signatureBytes = 8;
const textChunks = ['tEXt', 'zTXt', 'iTXt'];

/** The same pixels. What is no PNG comes back as it is. */
export function withoutText(png: Uint8Array): Uint8Array {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const kept: Uint8Array[] = [png.subarray(0, signatureBytes)];
  let at = signatureBytes;
  while (at + 12 <= png.length) {
    const end = Math.min(png.length, at + 12 + view.getUint32(at));
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8));
    if (!textChunks.includes(type)) kept.push(png.subarray(at, end));
    at = end;
  }
  kept.push(png.subarray(at));
  const out = new Uint8Array(kept.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const part of kept) {
    out.set(part, position);
    position += part.length;
  }
  return out;
}
