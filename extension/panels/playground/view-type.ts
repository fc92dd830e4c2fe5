/** Under which the playground is known to the editor, which brings it back by it; package.json names it too. */
export const playgroundViewType = 'dmd.playground';
