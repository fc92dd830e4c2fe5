/** Asks how a one-step generator is called: as its base says, or at a timestep and with a prediction of its own. */
import * as vscode from 'vscode';
import { type OneStepPrediction, oneStepPredictions } from '../../backend/protocol/one-step.ts';

const { l10n } = vscode;

/** What is left out is as the base has it. */
export interface Calling {
  readonly timestep?: number;
  readonly prediction?: OneStepPrediction;
}

/** Undefined when the person went away. */
export async function chooseCalling(): Promise<Calling | undefined> {
  const items = [
    {
      label: `$(check) ${l10n.t('As Its Base')}`,
      detail: l10n.t("called at the base's last timestep, predicting what the base predicts"),
      own: false,
    },
    {
      label: `$(settings) ${l10n.t('Otherwise...')}`,
      detail: l10n.t('where its authors name a timestep, such as 399, or another prediction'),
      own: true,
    },
  ];
  const options = { title: title(), placeHolder: l10n.t('How is the generator called?') };
  const picked = await vscode.window.showQuickPick(items, options);
  if (!picked?.own) return picked && {};
  const timestep = await chooseTimestep();
  const prediction = timestep === undefined ? undefined : await choosePrediction();
  return prediction === undefined ? undefined : { timestep, prediction };
}

async function chooseTimestep(): Promise<number | undefined> {
  const text = await vscode.window.showInputBox({
    title: title(),
    prompt: l10n.t('Timestep that the generator is called at'),
    value: '999',
    validateInput: (typed) => (isWhole(typed) ? undefined : l10n.t('A whole number, 0 or more')),
  });
  return text === undefined ? undefined : Number(text);
}

const isWhole = (text: string) => /^\s*\d+\s*$/.test(text);

async function choosePrediction(): Promise<OneStepPrediction | undefined> {
  const meanings: Record<OneStepPrediction, string> = {
    epsilon: l10n.t('the noise, as Stable Diffusion 1.5 and most distilled from it'),
    v_prediction: l10n.t('alpha noise - sigma image, as Stable Diffusion 2'),
    sample: l10n.t('the image itself'),
    velocity: l10n.t('image - noise, as InstaFlow'),
  };
  const items = oneStepPredictions.map((label) => ({ label, detail: meanings[label] }));
  const options = { title: title(), placeHolder: l10n.t('What does it predict?'), matchOnDetail: true };
  return (await vscode.window.showQuickPick(items, options))?.label;
}

function title(): string {
  return l10n.t('Import One-Step UNet');
}
