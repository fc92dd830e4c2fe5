// Answers with as many numbers as it is asked for.
import { speak } from './speak.mjs';

speak({
  numbers: ({ count }) => {
    const data = new Float32Array(count);
    for (let i = 0; i < count; i += 1) data[i] = i % 1000;
    return { data };
  },
});
