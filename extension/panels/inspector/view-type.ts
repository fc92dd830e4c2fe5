/** Under which a score inspector is known to the editor, which brings it back by it; package.json names it too. */
export const inspectorViewType = 'dmd.inspector';
