// Closes its channel and goes on living.
import { never, speak } from './speak.mjs';

const connection = speak({
  work: () => {
    process.removeAllListeners('disconnect');
    process.disconnect();
    setInterval(() => {}, 1000);
    return never;
  },
});
connection.onError(() => {});
