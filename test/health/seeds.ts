/** Seeds of the sick and healthy runs. Rules were set on the first list only; the second was written down before any of them was. */
export const tuningSeeds = [101, 102, 103, 104, 105];
export const testSeeds = [201, 202, 203, 204, 205];

/** What is made wrong in a run, and `well`: nothing. */
export const sicknesses = [
  'well',
  'fake score frozen',
  'learning rate 100 times too high',
  'no regression on two modes',
  'gradient not normalised',
  'gradient 100 times too large',
  'one noise level for the batch',
  'fake score 10 times too slow',
] as const;
export type Sickness = (typeof sicknesses)[number];
