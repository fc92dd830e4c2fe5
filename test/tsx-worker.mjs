// tsx registers itself in the main thread only: a worker that is run from the sources imports this first.
import { register } from 'tsx/esm/api';

register();
