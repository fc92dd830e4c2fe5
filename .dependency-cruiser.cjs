// Which folder may import which. Checked by test/unit/imports.test.ts, and by hand with `npx depcruise backend`.

const arithmetic = ['graph', 'engine', 'weights', 'nets', 'diffusion', 'data', 'metrics'];

/** backend/ folder -> the other folders it may import, besides the leaves. */
const layers = {
  graph: [],
  engine: ['graph'],
  weights: ['graph'],
  nets: ['graph', 'weights'],
  diffusion: ['graph'],
  data: ['graph', 'weights', 'metrics'],
  metrics: ['graph', 'weights'],
  models: arithmetic,
  sampling: [...arithmetic, 'models'],
  ranks: [],
  training: [...arithmetic, 'models', 'ranks'],
  health: [],
  methods: [...arithmetic, 'models', 'sampling', 'ranks', 'training', 'health'],
  teach: [...arithmetic, 'models', 'sampling', 'ranks', 'training'],
  debug: ['graph', 'engine', 'training'],
  export: [...arithmetic, 'models', 'sampling'],
  evaluate: [...arithmetic, 'models', 'sampling', 'ranks'],
  runs: [...arithmetic, 'models', 'sampling', 'ranks', 'training', 'methods', 'teach', 'evaluate', 'health', 'debug'],
};
layers.adapter = ['runs', 'debug', 'health'];
for (const folder of ['server', 'cli']) layers[folder] = Object.keys(layers);

/** Anyone may import these; they import nothing of ours (but report errors in the words of protocol). */
const leaves = { protocol: [], native: [], random: ['protocol'], files: ['protocol'], text: ['protocol', 'files'] };

/** A method's keys of a config, `methods/NAME/config.ts`, belong to the protocol: the editor reads configs too. */
const sections = '^backend/methods/[^/]+/config[.]ts$';

const one = (folders) => `^backend/(${folders.join('|')})/`;

const layerRule = (folder, allowed) => ({
  name: `layer-${folder}`,
  comment: `backend/${folder} may import only: ${allowed.join(', ') || 'nothing of ours'}. See CONTRIBUTING.md.`,
  severity: 'error',
  from: { path: one([folder]), ...(folder === 'methods' ? { pathNot: sections } : {}) },
  to: { path: '^(backend|extension|webview|test|scripts)/', pathNot: [one([folder, ...allowed]), sections] },
});

module.exports = {
  forbidden: [
    ...Object.entries(leaves).map(([folder, allowed]) => layerRule(folder, allowed)),
    ...Object.entries(layers).map(([folder, allowed]) => layerRule(folder, [...allowed, ...Object.keys(leaves)])),
    {
      name: 'config-section',
      comment: "A method's config.ts is part of the protocol and imports only that.",
      severity: 'error',
      from: { path: sections },
      to: { path: '^(backend|extension|webview|test|scripts)/', pathNot: one(['protocol']) },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one idea, or hide a third file that both need.',
      severity: 'error',
      from: { path: '^(backend|extension|webview)/' },
      to: { circular: true },
    },
    {
      name: 'known-folder',
      comment: 'Every file of backend/ lies in a folder that has a rule of its own.',
      severity: 'error',
      from: { path: '^backend/', pathNot: one([...Object.keys(leaves), ...Object.keys(layers)]) },
      to: {},
    },
    {
      name: 'extension-only-protocol',
      comment: 'The extension host knows the messages, not the computing; files it reads as everybody does.',
      severity: 'error',
      from: { path: '^extension/' },
      to: {
        path: '^(backend|webview|test|scripts)/',
        pathNot: [one(['protocol']), sections, '^backend/files/regular[.]ts$'],
      },
    },
    {
      name: 'webview-only-protocol',
      comment: 'Browser code knows the messages; it cannot load Node modules or the extension.',
      severity: 'error',
      from: { path: '^webview/' },
      to: { path: '^(backend|extension|test|scripts)/', pathNot: [one(['protocol']), sections] },
    },
    {
      name: 'webview-no-node',
      comment: 'There is no Node in a webview.',
      severity: 'error',
      from: { path: '^webview/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'toolkit-behind-factories',
      comment: 'The component library is known to one module, so that its successor is a change of one file.',
      severity: 'error',
      from: { pathNot: '^webview/shared/toolkit[.]ts$' },
      to: { path: '@vscode/webview-ui-toolkit' },
    },
    {
      name: 'vscode-only-in-extension',
      comment: 'The backend is plain Node: it also runs from the command line, where no editor is.',
      severity: 'error',
      from: { pathNot: '^(extension|test)/' },
      to: { path: '^(vscode$|node_modules/@types/vscode)' },
    },
    {
      name: 'runtimes-only-in-engine',
      comment: 'What runs a graph is behind the one interface of backend/engine.',
      severity: 'error',
      from: { path: '^(backend|extension|webview)/', pathNot: '^backend/engine/' },
      to: { path: '^(onnxruntime|@tensorflow/|node_modules/(onnxruntime|@tensorflow/))' },
    },
    {
      name: 'no-dev-dependencies',
      comment: 'What the installed package runs must be in "dependencies". TensorFlow is the optional peer.',
      severity: 'error',
      from: { path: '^(backend|extension|webview)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '@tensorflow/|@types/' },
    },
    {
      name: 'no-unresolvable',
      comment: 'The imported file or package is not there.',
      severity: 'error',
      from: { path: '^(backend|extension|webview)/' },
      to: { couldNotResolve: true, pathNot: '^(vscode$|@tensorflow/tfjs-node)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true, // type imports count
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.cjs'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'require', 'default'],
    },
  },
};
