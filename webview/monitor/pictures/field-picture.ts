/** The grid of score fields as one picture, with what its rows and columns are. */
import type { MonitorTexts } from '../../../backend/protocol/panels/monitor-texts.ts';
import { themeColour } from '../../shared/colours.ts';
import { toPng } from '../../shared/png.ts';
import { type FieldGrid, rowTitle } from './field-grid.ts';
import type { FieldName } from './fields.ts';

const [side, gap, line, label] = [128, 6, 20, 150];

export function gridPicture(texts: MonitorTexts, { root, cells }: FieldGrid, title: string): Promise<Uint8Array> {
  const rows = [...new Set([...cells.keys()].map((key) => key.split(' ')[0] as FieldName))];
  const columns = cells.size / rows.length;
  const heads = [...root.querySelectorAll('.head')].map((head) =>
    [...head.children].map((child) => child.textContent?.trim() ?? ''),
  );
  const headLines = Math.max(0, ...heads.map((lines) => lines.length));
  const top = line * (1.5 + headLines);
  const canvas = document.createElement('canvas');
  canvas.width = label + columns * (side + gap);
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
      context.fillText(text, label + column * (side + gap), line * (1.8 + i));
    });
  });
  rows.forEach((name, row) => {
    const y = top + row * (side + gap);
    context.fillText(rowTitle(texts, name), gap, y + side / 2);
    for (let column = 0; column < columns; column++) {
      const cell = cells.get(`${name} ${column}`);
      if (cell && !cell.root.hidden) context.drawImage(cell.canvas, label + column * (side + gap), y, side, side);
    }
  });
  return toPng(canvas);
}
