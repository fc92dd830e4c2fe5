/** Starts a run process from a request on the command line, says what came of it, and waits to be killed. */
import { startRunProcess } from '../../../backend/runs/live/start.ts';

console.log(JSON.stringify(await startRunProcess(JSON.parse(process.argv[2]))));
process.stdin.resume();
