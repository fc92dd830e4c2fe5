/** Under which a monitor is known to the editor, which brings it back by it; package.json names it too. */
export const monitorViewType = 'dmd.monitor';
