/** What the installed onnxruntime-node was built with. */
import { listSupportedBackends } from 'onnxruntime-node';

/** Names of execution providers; whether they work on this machine is another question. */
export function supportedProviders(): string[] {
  return listSupportedBackends().map(({ name }) => name);
}
