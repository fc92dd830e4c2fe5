// What some tests need from the machine, beyond npm: a Vulkan driver for the WebGPU tests, a browser, the editors that the
// editor tests drive, and a Python with TensorBoard's own reader and with a debugger.
//
// Each need is looked for first. What is missing is installed only where that is allowed (root on Debian, or asked for
// with --install); otherwise the tests that need it skip and say so. The result is the environment for the tests.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Failure, lastLine, say, seconds } from './console.mjs';
import { editorInstalled, editors, ensureEditor, findChromium } from './editor.mjs';
import { capture, root, run } from './process.mjs';

/** Where distributions put the SwiftShader (Vulkan on the CPU) that comes with their Chromium. */
const swiftShaderFolders = [
  '/usr/lib/chromium',
  '/usr/lib64/chromium-browser',
  '/usr/lib/chromium-browser',
  '/opt/google/chrome',
];

const pythonFolder = join(root, 'node_modules', '.cache', 'test-python');
/** TensorBoard reads what runs write; debugpy stops the programs whose NumPy arrays are looked at. */
/** Draws pictures; its C library alone is wanted, which needs no other package: 59 MB, 180 MB unpacked. */
const openVinoPackage = 'openvino==2026.4.1';
const openVinoFolder = join(root, 'node_modules', '.cache', 'openvino');
const pythonPackages = ['tensorboard==2.21.0', 'debugpy==1.8.22', 'numpy==2.4.6'];

/**
 * Finds or installs what the tests need and prints one line for each.
 * @param {{ mayInstall: boolean }} options
 * @returns environment variables to add for the tests
 */
export async function prepareSystem({ mayInstall }) {
  await mpi(mayInstall);
  const found = { ...(await webgpu(mayInstall)), ...(await browser(mayInstall)), ...(await python(mayInstall)) };
  return { ...found, ...(await openVino(found.DMD_TEST_PYTHON, mayInstall)) };
}

/** What starts several processes that train one model. The tests look for it themselves. */
async function mpi(mayInstall) {
  if (!programExists('mpirun') && process.platform === 'linux' && mayInstall) await apt(['openmpi-bin', 'libopenmpi3']);
  if (!programExists('mpirun')) say('Tests of several ranks: skipped, no mpirun (Debian package openmpi-bin).');
}

/** Chromium, which comes with SwiftShader too, and fonts for it. */
async function browser(mayInstall) {
  const fonts = process.platform === 'linux' ? await lackingFonts() : [];
  const lacking = [...(findChromium() ? [] : ['chromium']), ...fonts];
  if (lacking.length > 0 && mayInstall) await apt(lacking);
  const found = findChromium();
  if (found) return { DMD_TEST_CHROMIUM: found };
  say('Browser tests: skipped, no Chromium (Debian package chromium; npm test -- --install).');
  return {};
}

/** One font for Latin letters and one for Chinese, whose pictures would show boxes. */
async function lackingFonts() {
  const { code, output } = await capture('fc-list', [':lang=zh-cn', 'family']);
  const chinese = code === 0 && output.trim() !== '';
  const latin = existsSync('/usr/share/fonts/truetype');
  return [...(latin ? [] : ['fonts-dejavu-core']), ...(chinese ? [] : ['fonts-wqy-microhei'])];
}

/**
 * Finds or installs what test/e2e needs, and prints what it does. What the editors consist of comes from npm and stays in
 * this checkout, so it is installed unless DMD_NO_INSTALL=1; Debian packages where allowed.
 * @returns environment variables to add for the tests
 */
export async function prepareEditors({ mayInstall }) {
  const environment = await browser(mayInstall);
  const problem = await editorProblem(mayInstall);
  if (problem) say(`Editor tests: skipped, ${problem}`);
  else say(`Editor tests: VS Code ${editors.map(({ vscode }) => vscode).join(' and ')}.`);
  return { ...environment, ...(problem && { DMD_TEST_EDITOR_PROBLEM: problem }) };
}

/** Why the editor tests cannot run, or undefined when they can. */
async function editorProblem(mayInstall) {
  if (process.platform !== 'linux') return 'they run on Linux only.';
  if (!findChromium()) return 'there is no Chromium.';
  if (editors.every(editorInstalled)) return;
  if (process.env.DMD_NO_INSTALL === '1') return 'they are not installed, and DMD_NO_INSTALL=1 forbids it.';
  const compiler = ['g++', 'make', 'python3'].filter((name) => !programExists(name));
  if (compiler.length > 0 && mayInstall) await apt(compiler);
  try {
    await Promise.all(editors.map(ensureEditor));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return `an editor could not be installed: ${error.message}`;
  }
}

/** Installing needs no question when asked for, and none on a Debian where we are root, unless DMD_NO_INSTALL=1. */
export async function installAllowed(asked) {
  if (asked) return true;
  if (process.env.DMD_NO_INSTALL === '1' || process.getuid?.() !== 0) return false;
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID=debian$/m.test(release);
}

/** WebGPU on the machine's own driver if that works, else on SwiftShader. */
async function webgpu(mayInstall) {
  if (await webgpuWorks({})) {
    say("WebGPU tests: this machine's own driver.");
    return {};
  }
  let environment = swiftShader();
  if ((!environment || !(await webgpuWorks(environment))) && process.platform === 'linux' && mayInstall) {
    await apt(['chromium', 'libvulkan1']);
    environment = swiftShader();
  }
  if (environment && (await webgpuWorks(environment))) {
    say('WebGPU tests: SwiftShader, on the CPU.');
    return environment;
  }
  say('WebGPU tests: skipped, no Vulkan driver (Debian packages chromium and libvulkan1; npm test -- --install).');
  return {};
}

/** SwiftShader of an installed Chromium, for Vulkan; undefined where there is none. */
export function swiftShader() {
  const driver = swiftShaderFolders.map((folder) => join(folder, 'vk_swiftshader_icd.json')).find(existsSync);
  return driver && { VK_ICD_FILENAMES: driver, VK_DRIVER_FILES: driver };
}

/** In a process of its own: a broken driver may take the process down. */
async function webgpuWorks(environment) {
  const probe = join(root, 'scripts', 'lib', 'webgpu-probe.mjs');
  const { code } = await capture(process.execPath, [probe], {
    env: { ...process.env, ...environment },
    timeout: 60_000,
  });
  return code === 0;
}

/** A Python that has the packages: the one named by DMD_TEST_PYTHON, the PATH's, or one in node_modules/.cache. */
async function python(mayInstall) {
  const own = join(pythonFolder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const candidates = [process.env.DMD_TEST_PYTHON, 'python3', own].filter(Boolean);
  let found = await firstComplete(candidates);
  if (!found && mayInstall) {
    await installPythonPackages(own);
    found = await firstComplete([own]);
  }
  if (found) {
    say(`Python with TensorBoard and debugpy: ${found}.`);
    return { DMD_TEST_PYTHON: found };
  }
  say(
    'Tests with Python: skipped, none has tensorboard, debugpy, numpy (set DMD_TEST_PYTHON, or npm test -- --install).',
  );
  return {};
}

async function firstComplete(candidates) {
  for (const candidate of candidates) {
    if ((await capture(candidate, ['-c', 'import tensorboard, debugpy, numpy'])).code === 0) return candidate;
  }
  return undefined;
}

/** OpenVINO as DMD_OPENVINO names it, or one in node_modules/.cache, which the Python of the tests fetches. */
async function openVino(python, mayInstall) {
  const libraries = join(openVinoFolder, 'openvino', 'libs');
  const named = process.env.DMD_OPENVINO;
  if (!named && !existsSync(libraries) && python && mayInstall) {
    const start = performance.now();
    say(`Installing ${openVinoPackage} into node_modules/.cache ...`);
    const install = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', openVinoFolder, openVinoPackage];
    const { code, output } = await capture(python, install);
    say(code === 0 ? `Installed in ${seconds(start)}.` : `That failed: ${lastLine(output)}`);
  }
  const found = named || (existsSync(libraries) ? libraries : undefined);
  if (found) return { DMD_OPENVINO: found };
  say('Tests with OpenVINO: those that need it are skipped (set DMD_OPENVINO, or npm test -- --install).');
  return {};
}

/** Debian has no package of TensorBoard: all goes into a virtual environment inside node_modules/.cache. */
async function installPythonPackages(own) {
  if ((await capture('python3', ['-c', 'import ensurepip, venv'])).code !== 0) await apt(['python3', 'python3-venv']);
  const start = performance.now();
  say(`Installing ${pythonPackages.join(', ')} into node_modules/.cache ...`);
  const made = await capture('python3', ['-m', 'venv', pythonFolder]);
  const install = ['-m', 'pip', 'install', '--quiet', ...pythonPackages];
  const filled = made.code === 0 ? await capture(own, install) : made;
  say(filled.code === 0 ? `Installed in ${seconds(start)}.` : `That failed: ${lastLine(filled.output)}`);
}

/** Installs Debian packages, through sudo when not root. Failing is reported, not thrown: the tests then skip. */
async function apt(packages) {
  if (!programExists('apt-get')) {
    say(`Cannot install ${packages.join(' ')}: this is not a Debian. Install what your system offers in their place.`);
    return;
  }
  const start = performance.now();
  say(`Installing Debian packages ${packages.join(' ')} ...`);
  const needsSudo = process.getuid?.() !== 0;
  // sudo may have to ask for a password, so it gets the terminal once, before the silent part.
  if (needsSudo && (await run('sudo', ['-v']).catch(() => 127)) !== 0)
    return say('That failed: sudo did not allow it.');
  const [command, prefix] = needsSudo ? ['sudo', ['-n', 'apt-get']] : ['apt-get', []];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const updated = await capture(command, [...prefix, 'update', '-qq'], { env });
  const install = [...prefix, 'install', '-y', '-qq', '--no-install-recommends', ...packages];
  const installed = await capture(command, install, { env });
  if (installed.code === 0) say(`Installed in ${seconds(start)}.`);
  else say(`That failed: ${lastLine(installed.output || updated.output)}`);
}

function programExists(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}
