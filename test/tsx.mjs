// Runs TypeScript sources as they are, in this thread and, since threads inherit the flag, in every worker. `--import tsx`
// alone registers itself in the main thread only: `node --import ./test/tsx.mjs FILE`.
import { register } from 'tsx/esm/api';

register();
