export const scoreWatchViewType = 'dmd.scoreWatch';
