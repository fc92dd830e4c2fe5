/**
 * Objects of EDM's `torch_utils.persistence`. Such a pickle carries the class's source text, which PyTorch users' Python
 * would run; here the text is dropped, and what remains are the class's name and the pickled attributes, among them the
 * constructor's arguments.
 */
import { refuse } from '../refusal.ts';
import { Callable, describe, Instance, type Value } from './values.ts';

const reducer = 'torch_utils.persistence._reconstruct_persistent_obj';

/** An instance of a class that was declared persistent. */
export class PersistentObject extends Instance {}

export const persistenceGlobals: [string, Value][] = [[reducer, new Callable(reducer, ([meta]) => reconstruct(meta))]];

function reconstruct(meta: Value | undefined): PersistentObject {
  if (!(meta instanceof Map)) refuse(`a persistent object is made of ${describe(meta)}`);
  const [type, className, state] = ['type', 'class_name', 'state'].map((key) => meta.get(key));
  if (type !== 'class' || typeof className !== 'string') refuse('a persistent object has no class name');
  if (!(state instanceof Map)) refuse(`the persistent object ${className} has ${describe(state)} for attributes`);
  return new PersistentObject(className, state);
}
