/** Keys for the cursor and the zoom, wherever the focus is, unless what has the focus needs them itself. */

import { isPressed, typedInto } from '../shared/toolkit.ts';
import type { CurvesPanel } from './charts/curves-panel.ts';
import type { Monitor } from './monitor.ts';
import type { Player } from './player.ts';

export function listenToKeys({ cursor }: Monitor, curves: CurvesPanel, player: Player): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : null;
    if (typedInto(target) || target?.matches('select')) return;
    // Space presses what has the focus.
    if (event.key === ' ' && isPressed(target)) return;
    if (!act(event)) return;
    event.preventDefault();
  });

  const act = ({ key, shiftKey }: KeyboardEvent): boolean => {
    if (key === 'ArrowLeft') cursor.move(-1, shiftKey);
    else if (key === 'ArrowRight') cursor.move(1, shiftKey);
    else if (key === 'Home') cursor.goTo(0);
    else if (key === 'End') cursor.goTo(Number.POSITIVE_INFINITY);
    else if (key === ' ') player.toggle();
    else if (key === 'l') cursor.follow();
    else if (key === 'p' && cursor.mode === 'pinned') cursor.unpin();
    else if (key === 'p') cursor.pin(cursor.step);
    else if (key === 'Escape') cursor.unpin();
    else if (key === '+' || key === '=') curves.zoomBy(0.7);
    else if (key === '-') curves.zoomBy(1 / 0.7);
    else if (key === '0') curves.resetZoom();
    else return false;
    return true;
  };
}
