export const valueViewType = 'dmd.value';
