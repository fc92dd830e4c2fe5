/** What the installed onnxruntime-node was built with. */
import { runtime } from './runtime.ts';

/** Names of execution providers; whether they work on this machine is another question. */
export function supportedProviders(): string[] {
  return runtime.listSupportedBackends().map(({ name }) => name);
}
