// Answers with what it was sent; a slow request ends when it is cancelled; `tell` makes it send a notification.
import { ResponseError } from 'vscode-jsonrpc/node';
import { speak } from './speak.mjs';

const connection = speak({
  echo: (params) => params,
  refuse: () => {
    throw new ResponseError(1, 'the disk is full', { kind: 'io', hint: 'Free some space.', stack: 'Error: at write' });
  },
  bug: () => {
    throw new ResponseError(1, 'x is undefined', { kind: 'bug', hint: '', stack: 'TypeError: at nowhere' });
  },
  untilCancelled: (_params, token) =>
    new Promise((_, reject) => {
      const data = { kind: 'cancelled', hint: '', stack: '' };
      token.onCancellationRequested(() => reject(new ResponseError(1, 'stopped', data)));
      process.stderr.write('working\n');
    }),
  tell: async (params) => {
    await connection.sendNotification('told', params);
    return null;
  },
});
