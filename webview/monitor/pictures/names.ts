/** What fields, their levels and their kinds are called, and what they are. */
import type { ScoreTexts } from '../../../backend/protocol/panels/heatmap-texts.ts';
import type { MonitorTexts } from '../../../backend/protocol/panels/monitor-texts.ts';
import type { FieldKindName } from '../../../backend/protocol/rpc/runs.ts';
import { fill } from '../../shared/initial.ts';
import { levelName } from '../../shared/levels.ts';
import type { Column, FieldName } from './fields.ts';

export function rowTitle(texts: MonitorTexts, name: FieldName | 'x'): string {
  const titles: Record<FieldName | 'x', string> = {
    x: 'x',
    xt: texts.rowNoised,
    muReal: texts.rowReal,
    pictureReal: fill(texts.rowDecoded, texts.rowReal),
    muFake: texts.rowFake,
    pictureFake: fill(texts.rowDecoded, texts.rowFake),
    difference: texts.rowDifference,
    grad: texts.rowGrad,
  };
  return titles[name];
}

/** For who does not know the name. */
export function rowHint(texts: ScoreTexts, name: FieldName | 'x'): string {
  const hints: Record<FieldName | 'x', string> = {
    x: texts.hintX,
    xt: texts.hintXt,
    muReal: texts.hintMuReal,
    pictureReal: texts.hintMuReal,
    muFake: texts.hintMuFake,
    pictureFake: texts.hintMuFake,
    difference: texts.hintDifference,
    grad: texts.hintGrad,
  };
  return hints[name];
}

export function kindTitle(texts: MonitorTexts, kind: FieldKindName): string {
  return { probe: texts.kindProbe, training: texts.kindTraining, stop: texts.kindStop }[kind];
}

/** A level of one image, or an image of a batch at its own. */
export function columnTitle(texts: MonitorTexts, column: Column, perLevel: boolean): string {
  const level = levelName(texts.noiseLevel, column.level, column.sigma);
  return perLevel ? level : `${fill(texts.image, column.image + 1)} · ${level}`;
}
