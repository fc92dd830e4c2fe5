// Ends in order, but in the middle of a request.
import { speak } from './speak.mjs';

speak({
  save: () => {
    process.stdout.write('saving\n');
    process.exitCode = 0;
    process.disconnect();
  },
});
