/** Configs that teach the parts of a text-to-image model. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  commandOfKind,
  configKinds,
  configProblems,
  mapPaths,
  parseConfig,
} from '../../backend/protocol/config/index.ts';

const text = (change: object = {}) =>
  JSON.stringify({
    kind: 'teach-text',
    vae: 'a/vae',
    unet: { block_out_channels: [32, 64], attention: [false, true] },
    ...change,
  });
const autoencoder = (change: object = {}) =>
  JSON.stringify({ kind: 'teach-autoencoder', network: { block_out_channels: [16, 32] }, ...change });

test("a text model's defaults are Stable Diffusion's noise, and reading a resolved config changes nothing", () => {
  const config = parseConfig(text(), 'a');
  assert.ok(config.kind === 'teach-text');
  const { beta_start, beta_end, beta_schedule, num_train_timesteps } = config.scheduler;
  assert.deepEqual([beta_start, beta_end, beta_schedule, num_train_timesteps], [0.00085, 0.012, 'scaled_linear', 1000]);
  assert.equal(config.loss.emptyPrompts, 0.1);
  assert.deepEqual(parseConfig(JSON.stringify(config), 'b'), config);
  for (const other of [autoencoder(), '{"kind": "teach-text-encoder"}'].map((content) => parseConfig(content, 'a'))) {
    assert.deepEqual(parseConfig(JSON.stringify(other), 'b'), other);
  }
});

test('every level says whether it looks at the prompt', () => {
  const wrong = text({ unet: { block_out_channels: [32, 64], attention: [true] } });
  assert.match(configProblems(wrong)[0]!.what, /unet\.attention.* must have one entry per level, 2/);
});

test('what must be there is named, and a wrong value with what it may be', () => {
  const problem = (config: string) => configProblems(config)[0]!.what;
  assert.match(problem('{"kind": "teach-text", "vae": "v"}'), /^unet: .*the key is missing/);
  assert.match(problem(text({ vae: undefined })), /^vae: .*the key is missing/);
  assert.match(problem(text({ loss: { emptyPrompts: 1.5 } })), /loss\.emptyPrompts: .*<= 1, got 1\.5/);
  assert.match(
    problem(autoencoder({ loss: { distance: 'l3' } })),
    /loss\.distance: expected "l1", "l2", got the text "l3"/,
  );
  assert.match(problem(autoencoder({ network: { block_out_channels: [] } })), /network\.block_out_channels/);
  assert.match(
    problem(text({ loss: { minTimestep: 1000 } })),
    /loss\.minTimestep.* must be below scheduler\.num_train_timesteps, 1000/,
  );
  assert.match(problem('{"kind": "teach-txt"}'), /did you mean "teach-text"\?/);
});

test('every path of a config is made absolute, and names of what is built in stay', () => {
  const at = (config: string) => mapPaths(parseConfig(config, 'a'), (path) => `/base/${path}`);
  const given = at(text({ tokenizer: 't', initialText: 'c', initial: 'i', out: 'o' }));
  assert.ok(given.kind === 'teach-text');
  const { vae, tokenizer, initialText, initial, out } = given;
  assert.deepEqual(
    [vae, tokenizer, initialText, initial, out],
    ['/base/a/vae', '/base/t', '/base/c', '/base/i', '/base/o'],
  );
  const words = at('{"kind": "teach-text-encoder", "tokenizer": "t"}');
  assert.ok(words.kind === 'teach-text-encoder' && words.tokenizer === '/base/t');
  const builtin = at(text({ vae: 'builtin:scenes-text/vae' }));
  assert.ok(builtin.kind === 'teach-text');
  assert.deepEqual(
    [builtin.vae, builtin.tokenizer, builtin.initial],
    ['builtin:scenes-text/vae', undefined, undefined],
  );
  const first = at(autoencoder({ initial: 'vae' }));
  assert.ok(first.kind === 'teach-autoencoder');
  assert.deepEqual([first.initial, first.data.source], ['/base/vae', 'captioned-scenes']);
});

test('all that is not a distillation is taught', () => {
  assert.deepEqual(configKinds.map(commandOfKind), ['distill', 'teach', 'teach', 'teach', 'teach']);
});
