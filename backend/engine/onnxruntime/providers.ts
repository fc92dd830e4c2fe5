/** The runtime's execution providers: those that this project uses, and those that the installed package was built with. */
import { runtime } from './runtime.ts';

export type OrtDevice = 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';

/** Names of execution providers; whether they work on this machine is another question. */
export function supportedProviders(): string[] {
  return runtime.listSupportedBackends().map(({ name }) => name);
}
