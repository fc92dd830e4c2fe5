/** The sets that are shown as one PNG, each picture with its title and the ends of its colours. */
import { themeColour } from '../colours.ts';
import { number } from '../format.ts';
import { toPng } from '../png.ts';
import type { ScoreSet } from './score-set.ts';
import type { ScoreSetView } from './score-set-view.ts';

const [side, gap, line] = [160, 10, 18];

export function setsPicture(view: ScoreSetView, sets: readonly ScoreSet[], title: string): Promise<Uint8Array> {
  const columns = Math.max(1, ...sets.map(({ fields }) => fields.length));
  const rowHeight = side + 3 * line + gap;
  const canvas = document.createElement('canvas');
  canvas.width = columns * (side + gap) + gap;
  canvas.height = 2 * line + sets.length * rowHeight;
  const context = canvas.getContext('2d')!;
  context.fillStyle = themeColour('editor-background', '#ffffff');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = themeColour('foreground');
  context.textBaseline = 'middle';
  context.imageSmoothingEnabled = false;
  const font = themeColour('font-family', 'sans-serif');
  context.font = `600 13px ${font}`;
  context.fillText(title, gap, line);
  context.font = `12px ${font}`;
  sets.forEach((set, row) => {
    const top = 2 * line + row * rowHeight;
    context.fillText(set.title, gap, top + line / 2);
    set.fields.forEach(({ id }, column) => {
      const card = view.cards.get(`${row} ${id}`);
      const content = card?.view.content;
      if (!card || !content) return;
      const x = gap + column * (side + gap);
      const { width, height } = card.view.whole;
      const scale = side / Math.max(width, height);
      context.fillText(content.name, x, top + 1.5 * line, side);
      context.drawImage(card.view.whole, x, top + 2 * line, width * scale, height * scale);
      if (content.kind === 'signed') context.fillText(`± ${number(content.end, 3)}`, x, top + 2.5 * line + side, side);
    });
  });
  return toPng(canvas);
}
