/** A canvas as the bytes of a PNG. */
export async function toPng(canvas: HTMLCanvasElement): Promise<Uint8Array> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error(`a picture of ${canvas.width} x ${canvas.height} pixels cannot be made`);
  return new Uint8Array(await blob.arrayBuffer());
}
