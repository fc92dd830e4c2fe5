/** What an editor, or whatever speaks in its place, sends to the debug adapter: with a run that stands at a stop, and without one. */
import fs from 'node:fs';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { createSession } from '../../../backend/adapter/adapter.ts';
import { adapterErrors } from '../../../backend/adapter/errors.ts';
import { FakeRun } from '../../unit/adapter/fake-run.ts';
import { Dice } from '../dice.ts';
import { damaged } from '../make/bytes.ts';
import { worseJson } from '../make/json.ts';
import { once, type Reader } from '../reader.ts';

const commands = [
  ...['setBreakpoints', 'setExceptionBreakpoints', 'dataBreakpointInfo', 'setDataBreakpoints', 'breakpointLocations'],
  ...[
    'next',
    'stepIn',
    'stepOut',
    'stepBack',
    'restartFrame',
    'goto',
    'gotoTargets',
    'stepInTargets',
    'pause',
    'cancel',
  ],
  ...['stackTrace', 'scopes', 'variables', 'setVariable', 'setExpression', 'evaluate', 'completions', 'exceptionInfo'],
  ...['loadedSources', 'source', 'readMemory', 'writeMemory', 'threads', 'initialize', 'launch', 'attach', 'nonsense'],
  ...['dmdSkipUpdate', 'dmdCheckpoints', 'dmdRollBack', 'dmdPlace', 'dmdListing', 'dmdOrigin', 'dmdReadValue'],
];

/** What any of them may want to know. */
const args = {
  ...{ source: { path: '/RUN/x', sourceReference: 1 }, breakpoints: [{ line: 2, condition: 'step > 1' }], lines: [1] },
  ...{ filters: ['numeric'], filterOptions: [{ filterId: 'numeric', condition: 'step > 1' }] },
  ...{
    threadId: 1,
    frameId: 1,
    variablesReference: 1000,
    start: 0,
    count: 2,
    name: 'x',
    value: '1',
    line: 2,
    column: 1,
  },
  ...{ expression: 'x', context: 'watch', text: 'x', targetId: 1, memoryReference: '1/z', offset: 0, data: 'AAAA' },
  ...{ dataId: 'x', accessType: 'write', requestId: 1, progressId: 'a', step: 0, stage: 'draw', format: { hex: true } },
  ...{
    shape: null,
    cut: { at: [null, 0], step: [1, 1], order: [0] },
    config: '/none.dmd.json',
    resume: '/none',
    run: '/none',
  },
};

const framed = (text: string) => `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;

/** One for all: no input harms it. Closed when the process ends. */
const run = () => once('fake run', () => FakeRun.open({ after: () => {} }));

/** Of the clock, and machines are busy; longer, and the one who watches this process takes it for hung. */
const patience = 60_000;

export const adapterMessages: Reader = {
  name: 'adapter',
  async read(folder) {
    const { folder: runFolder } = await run();
    const { texts, asked, damage } = JSON.parse(fs.readFileSync(`${folder}/messages.json`, 'utf8')) as Messages;
    const sound = Buffer.from(texts.map((text) => framed(text.replaceAll('/RUN', runFolder))).join(''));
    const bytes = damage === null ? sound : damaged(sound, new Dice('damage', damage));
    const [to, from] = [new PassThrough(), new PassThrough()];
    const session = createSession();
    session.setRunAsServer(true); // which must not end this process
    const answers = messagesFrom(from);
    session.start(to, from);
    for (let at = 0; at < bytes.length; at += 700) to.write(bytes.subarray(at, at + 700));
    const start = performance.now();
    const open = () => asked.filter((seq) => !answers.some(({ request_seq }) => request_seq === seq));
    while (open().length > 0 && performance.now() - start < patience) await delay(5);
    const late = open();
    session.shutdown();
    const bug = answers.find(({ body }) => body?.error?.id === adapterErrors.bug.number);
    if (bug) throw new Error(`${bug.command}: ${bug.message}`);
    if (late.length > 0) throw new Error(`no answer to ${late}`);
  },
  make(dice) {
    const texts: string[] = [];
    const asked: number[] = [];
    const say = (command: string, given: string) => {
      const seq = texts.length + 1;
      texts.push(`{"seq":${seq},"type":"request","command":"${command}","arguments":${given}}`);
      if (isJson(given)) asked.push(seq);
    };
    say('initialize', '{"clientID":"vscode","adapterID":"dmd","linesStartAt1":true,"pathFormat":"path"}');
    if (dice.chance(0.8)) {
      say('attach', '{"run":"/RUN","stopOnEntry":true}');
      say('configurationDone', '{}');
      if (dice.chance(0.5)) say('next', '{"threadId":1}');
    }
    for (let i = 1 + dice.below(5); i > 0; i--) {
      say(dice.of(commands), dice.chance(0.3) ? JSON.stringify(args) : worseJson(args, dice));
    }
    const damage = dice.chance(0.2) ? dice.below(2 ** 20) : null;
    // Where frames are damaged nobody can say what was asked.
    const messages: Messages = { texts, asked: damage === null ? asked : [], damage };
    return { 'messages.json': JSON.stringify(messages) };
  },
};

/** What is said is framed where it is read: it names a folder of that process. */
interface Messages {
  readonly texts: readonly string[];
  /** Numbers of the requests that must be answered. */
  readonly asked: readonly number[];
  /** What the stream's bytes are damaged by. */
  readonly damage: number | null;
}

interface Answer {
  readonly request_seq?: number;
  readonly command?: string;
  readonly message?: string;
  readonly body?: { readonly error?: { readonly id: number } };
}

/** Grows as answers come. */
function messagesFrom(stream: PassThrough): Answer[] {
  const answers: Answer[] = [];
  let rest = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const [head, length] = /^Content-Length: (\d+)\r\n\r\n/.exec(rest.toString('latin1', 0, 64)) ?? [];
      if (head === undefined || rest.length < head.length + Number(length)) return;
      answers.push(JSON.parse(rest.toString('utf8', head.length, head.length + Number(length))) as Answer);
      rest = rest.subarray(head.length + Number(length));
    }
  });
  return answers;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
