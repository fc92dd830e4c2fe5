// Of another version than the extension.
import { speak } from './speak.mjs';

speak({
  initialize: () => ({ protocolVersion: 999, version: '9.9.9', node: process.versions.node, pid: process.pid }),
});
