/** What `npm run gpu` and the bundle's `run` start. */
import { main } from './main.ts';

process.exitCode = await main(process.argv.slice(2));
