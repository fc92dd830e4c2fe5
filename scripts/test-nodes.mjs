// npm run test:nodes: the tests, all but those in the editor, on every Node that people have (lib/nodes.mjs).
//
//   npm run test:nodes                         everything, on all of them
//   npm run test:nodes -- 24 26                on those whose version begins so
//   npm run test:nodes -- oldest newest half   only the test files whose path contains a word
//
// The last line counts the tests of all of them together.
import { delimiter, dirname } from 'node:path';
import { Failure, main, say, seconds } from './lib/console.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { ensureNode, nodes } from './lib/nodes.mjs';
import { run } from './lib/process.mjs';

const withoutEditor = ['test/unit/', 'test/golden/', 'test/integration/', 'test/webview/'];

main(async () => {
  const { versions, words } = parse(process.argv.slice(2));
  await ensureInstalled(); // it begins node_modules anew, where the versions of Node are kept too
  const totals = { passed: 0, failed: 0, skipped: 0 };
  const failures = [];
  for (const version of versions) {
    const start = performance.now();
    const program = await ensureNode(version);
    say(`\nNode ${version}:`);
    // What a test starts by name is this Node too.
    const env = { ...process.env, PATH: [dirname(program), process.env.PATH].join(delimiter) };
    let output = '';
    const onOutput = (text) => {
      output = (output + text).slice(-200);
    };
    const status = await run(program, ['scripts/test.mjs', ...words], { env, onOutput });
    const counts = /^(\d+) passed, (\d+) failed, (\d+) skipped\s*$/m.exec(output)?.slice(1).map(Number) ?? [0, 0, 0];
    ['passed', 'failed', 'skipped'].forEach((name, i) => {
      totals[name] += counts[i];
    });
    if (status !== 0 || counts[0] === 0) failures.push(version);
    say(`Node ${version}: ${status === 0 ? 'passed' : 'FAILED'} in ${seconds(start)}.`);
  }
  say(`\n${failures.length > 0 ? `Failed on ${failures.join(', ')}.` : `Passed on ${versions.join(', ')}.`}`);
  say(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  return failures.length > 0 ? 1 : 0;
});

function parse(args) {
  const isVersion = (arg) => /^(\d+(\.\d+)*|oldest|newest)$/.test(arg);
  const versions = new Set(args.filter(isVersion).flatMap(matching));
  const words = args.filter((arg) => !isVersion(arg));
  return {
    versions: versions.size > 0 ? [...versions] : nodes,
    words: words.length > 0 ? words : withoutEditor,
  };
}

function matching(wanted) {
  if (wanted === 'oldest') return [nodes[0]];
  if (wanted === 'newest') return [nodes.at(-1)];
  const found = nodes.filter((version) => `${version}.`.startsWith(`${wanted}.`));
  if (found.length === 0)
    throw new Failure(`no Node ${wanted} here.`, `There are ${nodes.join(', ')}, oldest, newest.`);
  return found;
}
