// npm test: installs, builds, checks style, types and every test, and ends with one line of counts.
//
//   npm test                     everything
//   npm test -- safetensors      only the test files whose path contains the word, without style and types
//   npm run test:e2e             only the tests in the real editor
//   npm test -- test/large       what takes minutes and gigabytes; only where it is named
//   npm test -- --install        also install what some tests need from Debian (see lib/system-packages.mjs)
//
// With CI=true a skipped test is a failure.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './lib/bundle.mjs';
import { Failure, main, say, seconds } from './lib/console.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { packageExtension } from './lib/package.mjs';
import { root, run, sourceLoader } from './lib/process.mjs';
import { prepareSources } from './lib/sources.mjs';
import { installAllowed, prepareEditors, prepareSystem } from './lib/system-packages.mjs';
import { count, printDetails, readRecords } from './lib/test-report.mjs';

const folders = ['test/unit', 'test/golden', 'test/integration', 'test/webview', 'test/e2e'];
/** Minutes and gigabytes: only where it is named. */
const onlyNamed = 'test/large';
const inEditor = (file) => file.startsWith('test/e2e/');
const inBrowser = (file) => file.startsWith('test/webview/');
const measuresTime = (file) => file.endsWith('.timing.test.ts');
const usesPackage = (file) => inEditor(file) || file.includes('/package.');
const withoutVulkan = { VK_ICD_FILENAMES: undefined, VK_DRIVER_FILES: undefined };
const strict = process.env.CI === 'true' || process.env.CI === '1';

main(async () => {
  const start = performance.now();
  const options = parse(process.argv.slice(2));
  await ensureInstalled();
  const files = await testFiles(options.words);
  await build();
  await prepareSources();
  const mayInstall = await installAllowed(options.install);
  // What waits for downloads goes beside what computes.
  const [system, failures] = await Promise.all([
    files.every(inEditor) ? {} : prepareSystem({ mayInstall }),
    options.words.length > 0 ? [] : checkSources(),
  ]);
  const work = await mkdtemp(join(tmpdir(), 'dmd-tests-'));
  const { status, records } = await runAll(files, { system, mayInstall, work }).finally(() =>
    rm(work, { recursive: true, force: true }),
  );
  printDetails(records);
  const { passed, failed, skipped } = count(records);
  if (status !== 0 || failed > 0) failures.push('tests');
  if (strict && skipped > 0) failures.push('skipped tests (CI=true allows none)');
  say(`\nFinished in ${seconds(start)}.${failures.length > 0 ? ` Failed: ${failures.join(', ')}.` : ''}`);
  say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failures.length > 0 ? 1 : 0;
});

function parse(args) {
  const flags = args.filter((arg) => arg.startsWith('-'));
  const unknown = flags.find((flag) => flag !== '--install');
  if (unknown)
    throw new Failure(`unknown option ${unknown}.`, 'npm test -- [--install] [word in a test file path ...]');
  return { install: flags.includes('--install'), words: args.filter((arg) => !arg.startsWith('-')) };
}

async function testFiles(words) {
  const lists = await Promise.all(
    [...folders, onlyNamed].map(async (folder) => {
      const names = await readdir(join(root, folder), { recursive: true }).catch(() => []);
      return names.map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
    }),
  );
  const files = lists.flat().filter((file) => file.endsWith('.test.ts'));
  const may = (file, word) => !file.startsWith(onlyNamed) || word.startsWith(onlyNamed);
  const chosen = files.filter((file) =>
    (words.length > 0 ? words : ['']).some((word) => file.includes(word) && may(file, word)),
  );
  if (chosen.length === 0) throw new Failure(`no test file matches ${words.join(' ') || folders.join(', ')}.`);
  return chosen.sort();
}

/** Style and types; returns the names of the checks that failed. */
async function checkSources() {
  const bin = (path) => join(root, 'node_modules', path);
  const checks = [
    ['style', [bin('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.']],
    ['types', [bin('typescript/bin/tsc'), '--noEmit']],
    ['types of webview/', [bin('typescript/bin/tsc'), '--noEmit', '-p', 'webview']],
  ];
  const failed = [];
  for (const [name, args] of checks) {
    const start = performance.now();
    const status = await run(process.execPath, args);
    say(`${status === 0 ? 'Passed' : 'FAILED'}: ${name} (${seconds(start)}).`);
    if (status !== 0) failed.push(name);
  }
  return failed;
}

/**
 * First what needs no browser, while the editors are installed; then panels and editor tests; two files at a time. Last, and one by
 * one, what measures time.
 */
async function runAll(files, { system, mayInstall, work }) {
  const extension = files.some(usesPackage) && {
    DMD_TEST_VSIX: process.env.DMD_TEST_VSIX ?? (await packageExtension({ folder: work })),
    DMD_TEST_INSTALLED: join(work, 'installed'),
  };
  const environment = { ...system, ...extension };
  const kindOf = (file) => (measuresTime(file) ? 'timed' : inEditor(file) || inBrowser(file) ? 'windows' : 'plain');
  const some = (kind, environment, concurrency = 2) =>
    runTests(
      files.filter((file) => kindOf(file) === kind),
      { environment, concurrency, log: join(work, `${kind}.jsonl`) },
    );
  const [plain, editors] = await Promise.all([
    some('plain', environment),
    files.some(inEditor) ? prepareEditors({ mayInstall }) : {},
  ]);
  // There a backend that looks for the fastest device would measure the driver that computes on the CPU, in every window anew.
  const windows = await some('windows', { ...environment, ...withoutVulkan, ...editors });
  const timed = await some('timed', environment, 1);
  const all = [plain, windows, timed];
  return { status: Math.max(...all.map(({ status }) => status)), records: all.flatMap(({ records }) => records) };
}

async function runTests(files, { environment, concurrency, log }) {
  if (files.length === 0) return { status: 0, records: [] };
  const status = await run(
    process.execPath,
    [
      ...['--import', sourceLoader, '--test', `--test-concurrency=${concurrency}`, '--test-timeout=1500000'],
      ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
      ...['--test-reporter=./scripts/lib/record-reporter.mjs', `--test-reporter-destination=${log}`],
      ...files,
    ],
    { env: { ...process.env, ...environment } },
  );
  return { status, records: await readRecords(log) };
}
