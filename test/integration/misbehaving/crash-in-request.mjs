// Dies by a signal in the middle of a request, as native code does.
import { speak } from './speak.mjs';

speak({
  work: () => {
    process.stderr.write('about to divide by zero\n');
    process.kill(process.pid, 'SIGKILL');
  },
});
