/** A chart as a picture of its own: the drawing with its title and what its lines are. */
import { themeColour } from '../../shared/colours.ts';
import { toPng } from '../../shared/png.ts';

interface Line {
  readonly name: string;
  readonly colour: string;
  readonly stroke: readonly number[];
  readonly value: string;
}

export function chartPicture(drawing: HTMLCanvasElement, title: string, lines: readonly Line[]): Promise<Uint8Array> {
  const ratio = window.devicePixelRatio;
  const row = 18 * ratio;
  const canvas = document.createElement('canvas');
  canvas.width = drawing.width;
  canvas.height = drawing.height + row * (lines.length + 1.5);
  const context = canvas.getContext('2d')!;
  context.fillStyle = themeColour('editor-background', '#ffffff');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.textBaseline = 'middle';
  context.fillStyle = themeColour('foreground');
  context.font = `600 ${12 * ratio}px ${themeColour('font-family', 'sans-serif')}`;
  context.fillText(title, row / 2, row * 0.7);
  context.drawImage(drawing, 0, row * 1.3);
  context.font = `${11 * ratio}px ${themeColour('font-family', 'sans-serif')}`;
  lines.forEach(({ name, colour, stroke, value }, i) => {
    const y = drawing.height + row * (1.8 + i);
    context.strokeStyle = colour;
    context.lineWidth = 2 * ratio;
    context.setLineDash(stroke.map((length) => length * ratio));
    context.beginPath();
    context.moveTo(row / 2, y);
    context.lineTo(row * 1.8, y);
    context.stroke();
    context.fillText(`${name}  ${value}`, row * 2.2, y);
  });
  return toPng(canvas);
}
