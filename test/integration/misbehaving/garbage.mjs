// Sends what is not a message instead of an answer.
import { never, speak } from './speak.mjs';

speak({
  work: () => {
    process.send(['not', 'a', 'message']);
    return never;
  },
});
