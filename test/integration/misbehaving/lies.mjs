// Answers with another type than agreed, and notifies with one.
import { speak } from './speak.mjs';

const connection = speak({
  count: async () => {
    await connection.sendNotification('told', { word: 7 });
    return { count: 'many' };
  },
});
