/**
 * What may be asked in a workspace that nobody has said they trust: to look at what runs and others have written. The backend is the
 * extension's own code on the person's own Node (the workspace's settings for both are ignored there); it reads run folders
 * as data and begins, changes and commands nothing.
 */
const viewing: ReadonlySet<string> = new Set([
  'runs/watch',
  'runs/open',
  'runs/drawn',
  'runs/clock',
  'runs/values',
  'runs/histograms',
  'runs/health',
  'runs/samples',
  'runs/fields',
  'runs/follow',
  'runs/unfollow',
  'runs/tensors/list',
  'runs/tensors/read',
  'runs/csv',
  'runs/compare',
  'weights/describe',
  'weights/read',
  'weights/histogram',
]);

/** @param method of a request of the protocol */
export function onlyViews(method: string): boolean {
  return viewing.has(method);
}
