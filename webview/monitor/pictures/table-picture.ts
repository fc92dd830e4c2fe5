/** A table of pictures as one PNG, with what its rows and columns are. */
import { themeColour } from '../../shared/colours.ts';
import { toPng } from '../../shared/png.ts';

export interface PictureTable {
  readonly title: string;
  /** Lines above each column. */
  readonly heads: readonly (readonly string[])[];
  readonly rows: readonly {
    readonly title: string;
    /** A pixel a number; null leaves the place empty. */
    readonly pictures: readonly (OffscreenCanvas | null)[];
  }[];
}

const [side, gap, line, label] = [128, 6, 20, 150];

export function tablePicture({ title, heads, rows }: PictureTable): Promise<Uint8Array> {
  const headLines = Math.max(0, ...heads.map((lines) => lines.length));
  const top = line * (1.5 + headLines);
  const canvas = document.createElement('canvas');
  canvas.width = label + heads.length * (side + gap);
  canvas.height = top + rows.length * (side + gap);
  const context = canvas.getContext('2d')!;
  context.fillStyle = themeColour('editor-background', '#ffffff');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = themeColour('foreground');
  context.textBaseline = 'middle';
  context.imageSmoothingEnabled = false;
  const font = themeColour('font-family', 'sans-serif');
  context.font = `600 13px ${font}`;
  context.fillText(title, gap, line * 0.7);
  context.font = `12px ${font}`;
  heads.forEach((lines, column) => {
    lines.forEach((text, i) => {
      context.fillText(text, label + column * (side + gap), line * (1.8 + i), side);
    });
  });
  rows.forEach((row, i) => {
    const y = top + i * (side + gap);
    context.fillText(row.title, gap, y + side / 2, label - 2 * gap);
    row.pictures.forEach((picture, column) => {
      if (!picture) return;
      const scale = side / Math.max(picture.width, picture.height);
      const x = label + column * (side + gap);
      context.drawImage(picture, x, y, picture.width * scale, picture.height * scale);
    });
  });
  return toPng(canvas);
}
