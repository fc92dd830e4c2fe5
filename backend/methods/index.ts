/** The methods by name. Another one is another folder and a line here. */
import { registerSection } from '../protocol/config/index.ts';
import { UserError } from '../protocol/errors.ts';
import { consistency } from './consistency/index.ts';
import { diffInstruct } from './diff-instruct/index.ts';
import { dmd } from './dmd/index.ts';
import { dmd2 } from './dmd2/index.ts';
import { lcm } from './lcm/index.ts';
import type { Method } from './method.ts';
import { progressive } from './progressive/index.ts';

const methods = new Map<string, Method>();

export function registerMethod(method: Method): void {
  methods.set(method.name, method);
  registerSection(method.name, method.section);
}

registerMethod(dmd);
registerMethod(dmd2);
registerMethod(diffInstruct);
registerMethod(consistency);
registerMethod(lcm);
registerMethod(progressive);

/** Throws UserError('config') for a name that is not known. */
export function methodOf({ method }: { readonly method: string }): Method {
  const found = methods.get(method);
  if (found) return found;
  throw new UserError('config', `method: there is no '${method}'`, `Known are ${[...methods.keys()].join(', ')}.`);
}
