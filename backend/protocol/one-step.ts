/** What a one-step text-to-image generator's single prediction is; `velocity` is InstaFlow's: image = noise + velocity. */
export const oneStepPredictions = ['epsilon', 'v_prediction', 'sample', 'velocity'] as const;
export type OneStepPrediction = (typeof oneStepPredictions)[number];
