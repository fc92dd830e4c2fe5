/** The keys of a config that are progressive distillation's own. Defaults are its public settings for CIFAR-10. */
import {
  type Complain,
  choice,
  emaKey,
  imageDataKeys,
  levelsKey,
  type MethodSection,
  mirrorKey,
  optimizerKeys,
  studentRecordKey,
  whole,
  z,
} from '../../protocol/config/section.ts';

const learningRate = 5e-5;
const most = 8192;

const stages = z
  .strictObject({
    steps: z
      .array(whole(1, 'steps', most))
      .min(1)
      .max(14)
      .default([16, 8, 4, 2, 1])
      .describe(
        'Steps of the student, stage by stage, each half of the one before; in the first stage the teacher takes twice as many. ' +
          'Default [16, 8, 4, 2, 1] (paper: from 4096).',
      ),
    iterations: z
      .union([whole(1, 'iterations'), z.array(whole(1, 'iterations'))])
      .default(1000)
      .describe(
        'Iterations of a stage, one number for all or one for each but the last stage, which has what is left of iterations. ' +
          'Default 1000 (paper: 50000, the last two 100000).',
      ),
  })
  .prefault({})
  .describe(
    'Each stage begins with the student of the one before, which becomes its teacher, and with a new optimizer.',
  );

const optimizer = optimizerKeys(learningRate);

const generator = z
  .strictObject({
    ...optimizer,
    weightDecay: optimizer.weightDecay
      .unwrap()
      .default(0)
      .describe('Decoupled weight decay, per unit of learning rate. Default 0.'),
    warmup: whole(0, 'updates')
      .default(0)
      .describe(
        'Updates at the start of a stage over which the learning rate rises linearly from 0; 0 none. Default 0.',
      ),
    decay: optimizer.decay
      .unwrap()
      .default('linear')
      .describe('What the learning rate does after warm-up, in each stage. Default linear (paper).'),
    clip: optimizer.clip
      .unwrap()
      .default(1)
      .describe('Largest L2 norm of the gradient, larger ones are scaled down; 0 no limit. Default 1.'),
    ema: emaKey(0),
  })
  .prefault({})
  .describe("The student and its optimizer (Adam). The next stage's teacher is the student itself, not its average.");

const loss = z
  .strictObject({
    weight: choice({
      'truncated-snr': 'max(1/sigma^2, 1): of the errors in image and noise the larger one counts (paper).',
      'snr+1': '1/sigma^2 + 1: the error in v.',
    })
      .default('truncated-snr')
      .describe("Weight of the squared error of the student's image. Default truncated-snr."),
  })
  .prefault({})
  .describe('The loss: where the student arrives in one step, held against two steps of the teacher.');

const { count: _, ...ladder } = levelsKey.unwrap().shape;
const levels = z
  .strictObject(ladder)
  .prefault({})
  .describe(
    "The teacher's steps in its first stage: Karras noise levels from sigmaMax down, then 0; a student's are every second of its teacher's.",
  );

const data = z
  .strictObject({ ...imageDataKeys, mirror: mirrorKey })
  .prefault({})
  .describe('Real images, with classes where the teacher has some. A mixture brings its own points.');

const keys = { generator, stages, loss, levels, data, record: studentRecordKey };

export const progressiveSection = {
  title: 'Progressive distillation (Salimans & Ho, arXiv 2202.00512).',
  keys,
  paths: ['data.source'],
  opens: ['data', 'levels'],
  fixed: ['stages', 'levels', 'loss'],
  check,
} satisfies MethodSection<typeof keys>;

/** Its own keys with every default filled in. */
export type ProgressiveKeys = z.infer<z.ZodObject<typeof keys>>;

/** What no key can say by itself. */
function check({ stages: { steps, iterations }, levels: l }: ProgressiveKeys, complain: Complain): void {
  if (l.sigmaMin >= l.sigmaMax) complain(['levels', 'sigmaMin'], 'must be below sigmaMax');
  steps.forEach((own, i) => {
    const before = steps[i - 1];
    if (before !== undefined && 2 * own !== before) {
      complain(['stages', 'steps', i], `must be half of the ${before} before it, ${before / 2}`);
    }
  });
  if (typeof iterations !== 'number' && iterations.length !== steps.length - 1) {
    complain(
      ['stages', 'iterations'],
      `must be one number, or ${steps.length - 1}: one for each of the ${steps.length} stages but the last, which has the rest`,
    );
  }
}
