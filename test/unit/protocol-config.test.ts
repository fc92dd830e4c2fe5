import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNetwork } from '../../backend/nets/index.ts';
import {
  applyOverrides,
  type Config,
  configJsonSchema,
  configKinds,
  configProblems,
  editDistance,
  type Located,
  nearest,
  parseConfig,
  scheduleValue,
} from '../../backend/protocol/config/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';

/** The lines of the error that a text gives. */
function complaints(text: string): string[] {
  try {
    parseConfig(text, 'my.dmd.json');
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.kind, 'config');
    assert.notEqual(error.hint, '');
    return error.message.split('\n');
  }
  return assert.fail(`accepted: ${text}`);
}

const distill = (rest: string) => `{\n  "kind": "distill",\n  ${rest}\n}`;
const network = '"network": {"img_resolution": 32, "img_channels": 3}';
const teach = (rest: string) => `{\n  "kind": "teach", ${network}, ${rest}\n}`;

test('the smallest config has the defaults of the paper', () => {
  const config = parseConfig('{"kind": "distill"}', 'a');
  assert.ok(config.kind === 'distill');
  const { generator, fake, matching, regression } = config;
  for (const { beta1, beta2, weightDecay, clip, warmup } of [generator, fake]) {
    assert.deepEqual([beta1, beta2, weightDecay, clip, warmup], [0.9, 0.999, 0.01, 10, 500]);
  }
  assert.equal(generator.sigma, 80);
  assert.deepEqual(matching.levels, { count: 1000, sigmaMin: 0.002, sigmaMax: 80, rho: 7 });
  assert.deepEqual([matching.minStep, matching.maxStep, matching.weight], [20, 980, 'eq8']);
  assert.deepEqual([regression.lambda, regression.distance, regression.pairs.steps], [0.25, 'l2', 18]);
  assert.equal(config.teacher, 'builtin:scenes');
});

test('comments and trailing commas are fine, and what is given is taken', () => {
  const text = distill(
    '// faster\n "generator": {"lr": 1e-4, /* none */ "warmup": 0,}, "schedules": {"lambda": [[0, 1], [100, 0.25]]},',
  );
  const config = parseConfig(text, 'a');
  assert.ok(config.kind === 'distill');
  assert.deepEqual([config.generator.lr, config.generator.warmup, config.generator.clip], [1e-4, 0, 10]);
  assert.deepEqual(config.schedules.lambda, [
    [0, 1],
    [100, 0.25],
  ]);
});

test('a byte order mark is no mistake', () => {
  assert.equal(parseConfig('\uFEFF{"kind": "distill"}', 'a').kind, 'distill');
});

test('a resolved config reads back as itself', () => {
  const configs: Config[] = [
    parseConfig(distill('"seed": 4, "regression": {"distance": "lpips", "lpipsWeights": "w.pt"}'), 'a'),
    parseConfig(teach('"optimizer": {"lr": 0.5}, "ema": 0'), 'a'),
  ];
  for (const config of configs) assert.deepEqual(parseConfig(JSON.stringify(config), 'b'), config);
});

test('text.recompute of old files counts, and is read as the key that every teacher has', () => {
  const old = parseConfig(distill('"text": {"recompute": "blocks", "guidance": 5}'), 'a');
  assert.ok(old.kind === 'distill' && old.recompute === 'blocks' && old.text.guidance === 5);
  assert.ok(!('recompute' in old.text));
  // A resolved config of before says both what it is and what it is not.
  const before = { kind: 'distill', text: { recompute: 'none' } };
  assert.equal((parseConfig(JSON.stringify(before), 'a') as typeof old).recompute, 'none');
  for (const [change, expected] of [
    ['recompute=none', 'none'],
    ['text.recompute=none', 'none'],
    ['seed=3', 'blocks'],
  ] as const) {
    assert.equal((applyOverrides(old, [change]) as typeof old).recompute, expected, change);
  }
  assert.equal((parseConfig(distill('"seed": 3'), 'a') as typeof old).recompute, 'none');
});

test('an unknown key is named with its place and what was probably meant', () => {
  assert.deepEqual(complaints(distill('"regression": {\n    "lamda": 0.5\n  }')), [
    'my.dmd.json:4:5: unknown key "lamda" in regression; did you mean "lambda"?',
  ]);
  assert.deepEqual(complaints(distill('"itertaions": 5')), [
    'my.dmd.json:3:3: unknown key "itertaions"; did you mean "iterations"?',
  ]);
  assert.match(
    complaints(distill('"checkpoint": {"zzz": 1}'))[0]!,
    /unknown key "zzz" in checkpoint; known are every, keep, keepEvery/,
  );
  assert.match(complaints(teach('"network2": 1'))[0]!, /did you mean "network"/);
  assert.match(
    complaints('{"kind": "teach", "network": {"img_resolution": 8, "img_channels": 3, "model_channel": 3}}')[0]!,
    /network.*"model_channels"/,
  );
  assert.match(complaints(distill('"__proto__": {}'))[0]!, /unknown key "__proto__"/);
});

test('a wrong type names the key, what it got and what it wants', () => {
  const lines = complaints(distill('"batch": "16"'));
  assert.equal(lines[0], 'my.dmd.json:3:12: batch: expected a whole number, got the text "16"');
  assert.match(lines[1]!, /Images per micro-batch/);
  for (const [text, message] of [
    ['"batch": 1.5', /batch: expected a whole number, got 1.5/],
    ['"batch": 0', /batch: expected a whole number >= 1, got 0/],
    ['"batch": null', /batch: expected a whole number, got null/],
    ['"matching": 7', /matching: expected an object \{...\}, got 7/],
    ['"matching": {"enabled": "no"}', /matching.enabled: expected true or false, got the text "no"/],
    ['"matching": {"weight": "eq-8"}', /matching.weight: expected "eq8", .*got the text "eq-8"; did you mean "eq8"\?/],
    ['"device": "gpu"', /device: expected "auto", "cpu", .*got the text "gpu"/],
    ['"generator": {"beta1": 1}', /generator.beta1: expected a number < 1, got 1/],
    ['"generator": {"lr": -1e-4}', /generator.lr: expected a number >= 0/],
    ['"schedules": {"lambda": [[0, 1], [5, "x"]]}', /schedules.lambda.1.1: expected a number, got the text "x"/],
    ['"schedules": {"lambda": [[9, 1], [5, 2]]}', /schedules.lambda.1.0: iterations must ascend, got 5/],
    ['"schedules": {"lambda": []}', /schedules.lambda: expected a list .* >= 1, got \[\]/],
    ['"teacher": ""', /teacher: expected a text with a length >= 1/],
  ] as const) {
    assert.match(complaints(distill(text))[0]!, message);
  }
});

test('values that do not go together are refused', () => {
  for (const [text, message] of [
    ['"matching": {"maxStep": 1000}', /matching.maxStep: must be below levels.count, 1000, got 1000/],
    ['"matching": {"minStep": 981}', /matching.minStep: must not be above maxStep, 980/],
    ['"matching": {"levels": {"sigmaMin": 90}}', /matching.levels.sigmaMin: must be below sigmaMax/],
    ['"matching": {"enabled": false}, "regression": {"enabled": false}', /nothing to train/],
    ['"regression": {"distance": "lpips"}', /regression.distance: lpips needs regression.lpipsWeights/],
    ['"record": {"probe": {"levels": [5, 1200]}}', /record.probe.levels.1: must be below/],
    ['"schedules": {"maxStep": [[0, 1200]]}', /schedules.maxStep.0.1: must be below/],
  ] as const) {
    assert.match(complaints(distill(text))[0]!, message);
  }
  assert.match(
    complaints(teach('"loss": {"sigma_data": 1}'))[0]!,
    /loss.sigma_data: must equal network.sigma_data, 0.5/,
  );
  const bad = (rest: string) => `{"kind": "teach", "network": {"img_resolution": 12, "img_channels": 3, ${rest}}}`;
  assert.match(complaints(bad('"channel_mult": [1, 2, 2, 2]'))[0]!, /img_resolution: must be a multiple of 8/);
  const foreign = complaints(
    bad('"channel_mult": [1], "model_type": "DhariwalUNet", "encoder_type": "skip", "beta_d": 1'),
  );
  assert.match(foreign.join('\n'), /encoder_type: DhariwalUNet has no such argument \(SongUNet has\)/);
  assert.match(foreign.join('\n'), /beta_d: EDMPrecond has no such argument \(VPPrecond has\)/);
});

test('all mistakes are reported at once, in the order of the text', () => {
  const lines = complaints(distill('"sed": 1,\n  "batch": true,\n  "fake": {"ema": 0}')).filter((line) =>
    line.startsWith('my'),
  );
  assert.deepEqual(
    lines.map((line) => line.split(':')[1]),
    ['3', '4', '5'],
  );
});

test('every mistake has its characters, its kind, and what was probably meant', () => {
  const text = distill('"sed": 1, "device": "cdua", "matching": {"minStep": 981}');
  const [key, value] = configProblems(text);
  assert.deepEqual([key!.code, marked(text, key!), key!.replacement], ['unknown-key', '"sed"', '"seed"']);
  assert.deepEqual([value!.code, marked(text, value!), value!.replacement], ['value', '"cdua"', '"cuda"']);
  const codes = (text: string) => configProblems(text).map((problem) => [problem.code, marked(text, problem)]);
  assert.deepEqual(codes(distill('"matching": {"minStep": 981}')), [['combination', '981']]);
  assert.deepEqual(codes(distill('"seed": 1, "seed": 2')), [['repeated-key', '"seed"']]);
  assert.deepEqual(codes('{"kind": "teach", "network": {"img_channels": 3}}'), [['value', '{']]);
  assert.deepEqual(codes('{"kind": "distill" "seed": 1}'), [['syntax', '"seed"']]);
  assert.deepEqual(codes('{"kind": "distill"}'), []);
});

function marked(text: string, { offset, length }: Located): string {
  return text.slice(offset, offset + length);
}

test('broken JSON, repeated keys, an unknown or missing kind', () => {
  assert.match(complaints('{"kind": "distill",\n "seed" 1}')[0]!, /^my.dmd.json:2:9: colon expected/);
  assert.match(complaints('{"kind": "distill"')[0]!, /^my.dmd.json:1:\d+: /);
  assert.match(complaints('')[0]!, /^my.dmd.json:1:1: /);
  assert.match(complaints('[]')[0]!, /expected \{ ... \}/);
  assert.match(complaints(distill('"seed": 1, "seed": 2'))[0]!, /^my.dmd.json:3:14: the key "seed" is there twice/);
  assert.match(
    complaints('{"kind": "distil"}')[0]!,
    /1:10: kind: expected "distill" or "teach" or "teach-autoencoder" or "teach-text-encoder" or "teach-text", got "distil"; did you mean "distill"\?/,
  );
  assert.match(complaints('{"seed": 1}')[0]!, /kind: .*the key is missing/);
  assert.match(
    complaints('{"kind": "teach"}')[0]!,
    /^my.dmd.json:1:1: network: expected an object \{...\}; the key is missing/,
  );
});

interface JsonSchema {
  type?: string;
  description?: string;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: boolean;
  required?: string[];
}

function checkSchema(schema: JsonSchema, at: string): void {
  assert.ok(schema.description || at === '', `${at} has no description`);
  if (schema.type !== 'object') return;
  assert.equal(schema.additionalProperties, false, `${at} takes unknown keys`);
  for (const [key, value] of Object.entries(schema.properties ?? {})) checkSchema(value, `${at}.${key}`);
}

const needed = {
  distill: [],
  teach: ['network'],
  'teach-autoencoder': ['network'],
  'teach-text-encoder': [],
  'teach-text': ['vae', 'unet'],
};

test('the JSON schema for the editor describes every key and is strict', () => {
  for (const kind of configKinds) {
    const schema = configJsonSchema(kind) as JsonSchema;
    checkSchema(schema, '');
    assert.deepEqual(schema.required, ['kind', ...needed[kind]]);
  }
});

test('a schedule is linear between its points and constant outside', () => {
  const points = [
    [10, 1],
    [20, 3],
    [40, 0],
  ] as const;
  const at = (iteration: number) => scheduleValue(points, iteration, 99);
  assert.deepEqual([0, 10, 15, 20, 30, 40, 1e9].map(at), [1, 1, 2, 3, 1.5, 0, 0]);
  assert.equal(scheduleValue(undefined, 5, 99), 99);
  assert.equal(scheduleValue([[7, 2]], 3, 99), 2);
});

test('the nearest word', () => {
  assert.equal(editDistance('kitten', 'sitting'), 3);
  assert.equal(editDistance('ab', 'ba'), 1);
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(nearest('wieght', ['lambda', 'weight', 'height']), 'weight');
  assert.equal(nearest('MinStep', ['maxStep', 'minStep']), 'minStep');
  assert.equal(nearest('foo', ['bar']), undefined);
});

test("the network of a model file's metadata, with every default filled in, is one that a config takes", () => {
  for (const network of ['EDMPrecond', 'VPPrecond', 'VEPrecond', 'iDDPMPrecond']) {
    for (const model_type of ['SongUNet', 'DhariwalUNet']) {
      const { config } = createNetwork({ class: network, model_type, img_resolution: 16, img_channels: 3 });
      const copied = JSON.parse(JSON.stringify(config)) as object;
      const parsed = parseConfig(JSON.stringify({ kind: 'distill', network: copied }), 'copied');
      assert.ok(parsed.kind === 'distill');
      assert.deepEqual(createNetwork(parsed.network).config, config);
    }
  }
});
