// Listens, and answers nothing but the greeting; `block` stops even the listening.
import { never, speak } from './speak.mjs';

speak({
  work: () => never,
  block: () => {
    for (;;);
  },
});
