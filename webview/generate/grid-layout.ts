/** How pictures are laid out: in even columns, as large as the room allows. Knows no page. */

export interface Room {
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly columns: number;
  /** Width of a picture, in CSS pixels. */
  readonly size: number;
}

/** Around every picture: its frame on both sides, the gap to the next, and the line under it. */
export const frame = 8;
export const gap = 8;
export const captionHeight = 26;

const smallest = 56;
const largest = 640;
/** Smaller pictures would show nothing while a page of them can be scrolled. */
const comfortable = 112;

/**
 * @param count pictures
 * @param natural their own width and height in pixels
 * @param columns where they are given, such as by a grid's values
 */
export function layoutOf(count: number, natural: Room, room: Room, columns?: number): Layout {
  const choices = columns === undefined ? Array.from({ length: Math.min(count, 16) }, (_, i) => i + 1) : [columns];
  const ratio = natural.height / natural.width;
  const layouts = choices.map((number) => {
    const rows = Math.ceil(count / number);
    const wide = (room.width - gap * (number - 1)) / number - frame;
    const high = ((room.height - gap * (rows - 1)) / rows - captionHeight - frame) / ratio;
    const size = Math.min(wide, Math.max(high, Math.min(comfortable, wide)), largest);
    // A row that is not full looks like a mistake: it has to be worth it.
    const score = Math.min(size, Math.max(high, 0) + size / 4) * (count % number === 0 ? 1.25 : 1);
    return { columns: number, size, score };
  });
  const best = layouts.reduce((a, b) => (b.score > a.score ? b : a));
  return { columns: best.columns, size: wholePixels(Math.max(smallest, best.size), natural.width) };
}

/** A small picture is enlarged by a whole number, so that all of its pixels are alike. */
function wholePixels(size: number, natural: number): number {
  return size > natural && natural <= 128 ? Math.floor(size / natural) * natural : Math.floor(size);
}
