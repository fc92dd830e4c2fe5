/** Text-to-image models in `dmd eval`, with a tiny random pipeline that diffusers saved. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { evalCommand } from '../../backend/cli/eval/eval.ts';
import type { Output } from '../../backend/cli/output.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { openContestant } from '../../backend/evaluate/contestants.ts';
import { TextPipeline } from '../../backend/sampling/text/text-pipeline.ts';

const golden = new URL('../golden/', import.meta.url);
const teacher = fileURLToPath(new URL('tiny-diffusion/model', golden));
const clip = fileURLToPath(new URL('clip/gelu', golden));
const folder = mkdtempSync(join(tmpdir(), 'dmd-eval-text-'));
const engine = await openDevice('cpu', 1);
after(async () => {
  await engine.dispose();
  rmSync(folder, { recursive: true });
});

/** The same networks, called once. */
const generator = join(folder, 'generator');
cpSync(teacher, generator, { recursive: true });
writeFileSync(join(generator, 'dmd.json'), JSON.stringify({ role: 'generator', timestep: 900 }));

test("a teacher's steps, scheduler and guidance are those asked for; every prompt has its own seed", async () => {
  const contestant = await openContestant(teacher, { engine, steps: 3, scheduler: 'pndm', guidance: 2 });
  assert.deepEqual([contestant.calls, contestant.takesPrompts, contestant.classes], [4, true, 0]);
  const prompts = ['a red circle', 'blue'];
  const drawn = await contestant.draw({ seeds: [5, 8], prompts });
  assert.deepEqual(drawn.shape, [2, ...contestant.imageShape]);
  const pipeline = TextPipeline.open(teacher, { engine });
  const size = drawn.data.length / 2;
  for (const [i, seed] of [5, 8].entries()) {
    const request = { prompt: prompts[i]!, seeds: [seed], steps: 3, scheduler: 'pndm', guidance: 2 } as const;
    const { images } = await pipeline.draw(request);
    assert.deepEqual(drawn.data.subarray(i * size, (i + 1) * size), images.data);
    assert.deepEqual((await contestant.drawOne(seed, prompts[i]!)).data, images.data);
  }
  await pipeline.dispose();
  await contestant.dispose();
});

test('teacher and generator in one table: what is for teachers leaves the generator alone', async () => {
  const captions = join(folder, 'prompts.tsv');
  writeFileSync(captions, 'SAMPLE_ID\tTEXT\n1\ta red circle\n2\ta ring\n');
  const promptColumn = 'TEXT';
  const [events, lines]: [Record<string, unknown>[], string[]] = [[], []];
  const output: Output = {
    json: false,
    line: (text = '') => lines.push(text),
    event: (event, fields) => events.push({ event, ...fields }),
  };
  const settings = { steps: 3, scheduler: 'ddim', guidance: 2, count: 3, seed: 0, resize: 'edm' } as const;
  const options = { ...settings, captions, clip, device: 'cpu', threads: 1 } as const;
  await assert.rejects(evalCommand([teacher], options, output), {
    kind: 'data',
    message: /prompts\.tsv is a table \(TSV\), not a prompt per line/,
  });
  await evalCommand([teacher, generator], { ...options, promptColumn }, output);
  assert.deepEqual(
    events.map(({ calls, distance, right }) => [calls, distance, right]),
    [
      [3, null, null],
      [1, null, null],
    ],
  );
  for (const { promptScore } of events) assert.ok((promptScore as number) >= 0 && (promptScore as number) <= 100);
  assert.match(lines[0]!, /^model +calls +ms per image +CLIP score \(gelu\)$/);
});
