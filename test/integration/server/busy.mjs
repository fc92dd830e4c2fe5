// The built backend, whose main thread computes without end once it has answered `initialize` and its watchdog runs.
import '../../../dist/server.js';

const { send } = process;
process.send = (message, ...rest) => {
  send.call(process, message, ...rest);
  if (message.id !== 1) return;
  // The watchdog's thread has to be told of by the event loop before it is blocked.
  setTimeout(() => {
    for (;;);
  }, 500);
};
