/** What is asked and answered about a run whose samples are points of the plane: where they are now, and the scores around them. */
import { z } from './config/zod.ts';
import { float32, step } from './rpc/define.ts';

const coordinate = z.number().min(-1e6).max(1e6);

/** The most numbers of a grid of arrows and of a shaded picture. */
const mostArrows = 4096;
const mostShades = 2 ** 17;

export const planeQuestionSchema = z
  .object({
    /** Noise level of scores and densities, in data units. */
    sigma: z.number().min(1e-4).max(1000),
    /** Part of the plane. */
    left: coordinate,
    right: coordinate,
    bottom: coordinate,
    top: coordinate,
    /** Scores are taken in the middle of each cell of so many columns and rows. */
    columns: z.int().min(1).max(128),
    rows: z.int().min(1).max(128),
    /** Densities in so many times as many columns and rows; 0: none. */
    shade: z.int().min(0).max(16),
    /** Of the generator, always of the same noise. */
    samples: z.int().min(1).max(4096),
  })
  .refine(({ left, right, bottom, top }) => left < right && bottom < top, 'left below right, bottom below top')
  .refine(({ columns, rows }) => columns * rows <= mostArrows, `at most ${mostArrows} cells`)
  .refine(({ columns, rows, shade }) => columns * rows * shade ** 2 <= mostShades, `at most ${mostShades} shades`);
export type PlaneQuestion = z.infer<typeof planeQuestionSchema>;

/** Grids row by row from the top left, x before y. */
export const planeSchema = z.object({
  /** Iterations done. */
  step,
  sigma: z.number(),
  /** [samples, 2] */
  samples: float32,
  /** Denoised cell middles as the networks have them, [rows, columns, 2]; muFake null where no fake score is trained. */
  muReal: float32,
  muFake: float32.nullable(),
  /** Scores in closed form, [rows, columns, 2]: of the data, and of the samples as they are, each as noisy as sigma says. */
  scoreReal: float32,
  scoreFake: float32,
  /** The densities that these are the scores of, [shade rows, shade columns]; empty without shade. */
  densityReal: float32,
  densityFake: float32,
});
export type PlaneReading = z.infer<typeof planeSchema>;
