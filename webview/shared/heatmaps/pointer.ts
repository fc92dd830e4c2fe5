/** The pointer over a heatmap: values where it is, dragging moves, the wheel with Ctrl zooms, a double click shows everything. */
import type { HeatmapGroup } from './group.ts';
import type { Picture } from './picture.ts';
import { type Channels, tilesOf } from './raster.ts';

const wheelZoom = 1.002;

export function listenToPointer(
  canvas: HTMLCanvasElement,
  group: HeatmapGroup,
  content: () => { readonly picture: Picture; readonly channels: Channels } | null,
): void {
  const { viewport } = group;
  let dragged: { x: number; y: number } | null = null;

  /** Where in its tile, in fractions, and how large the tile is, in CSS pixels. */
  const placeOf = ({ clientX, clientY }: MouseEvent) => {
    const shown = content();
    if (!shown) return null;
    const box = canvas.getBoundingClientRect();
    const { columns, rows } = tilesOf(shown.picture, shown.channels);
    const [width, height] = [box.width / columns, box.height / rows];
    const within = (at: number, size: number) => Math.min(0.999999, Math.max(0, (at / size) % 1));
    return { x: within(clientX - box.left, width), y: within(clientY - box.top, height), width, height };
  };

  canvas.addEventListener('pointermove', (event) => {
    const at = placeOf(event);
    if (!at) return;
    if (dragged) {
      viewport.panBy((dragged.x - event.clientX) / at.width, (dragged.y - event.clientY) / at.height);
      dragged = { x: event.clientX, y: event.clientY };
    }
    group.point(viewport.toPicture(at.x, at.y));
  });
  canvas.addEventListener('pointerleave', () => group.point(null));
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    dragged = { x: event.clientX, y: event.clientY };
    canvas.setPointerCapture(event.pointerId);
  });
  const release = () => {
    dragged = null;
  };
  canvas.addEventListener('pointerup', release);
  canvas.addEventListener('pointercancel', release);
  canvas.addEventListener('dblclick', () => viewport.reset());
  canvas.addEventListener(
    'wheel',
    (event) => {
      const at = placeOf(event);
      // Without a key the wheel is the page's.
      if (!at || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      viewport.zoomBy(wheelZoom ** -event.deltaY, at.x, at.y);
    },
    { passive: false },
  );
}
