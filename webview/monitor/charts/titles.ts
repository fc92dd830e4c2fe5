/** What charts and the curves in them are called. */
import type { MonitorTexts } from '../../../backend/protocol/panels/monitor-texts.ts';
import { fill } from '../../shared/initial.ts';
import { levelName } from '../../shared/levels.ts';
import type { ChartPlan, GroupId } from './groups.ts';

export function groupTitle(texts: MonitorTexts, id: GroupId): string {
  const titles: Record<GroupId, string> = {
    loss: texts.groupLoss,
    residual: texts.groupResidual,
    cosine: texts.groupCosine,
    norm: texts.groupNorm,
    quality: texts.groupQuality,
    gan: texts.groupGan,
    rate: texts.groupRate,
    speed: texts.groupSpeed,
    ranks: texts.groupRanks,
    memory: texts.groupMemory,
    schedule: texts.groupSchedule,
    other: texts.groupOther,
  };
  return titles[id];
}

export function chartTitle(texts: MonitorTexts, { id }: ChartPlan): string {
  const titles: Record<string, string> = {
    'loss/matching': texts.lossMatching,
    'loss/regression': texts.lossRegression,
    'loss/fake': texts.lossFake,
    'loss/teacher': texts.lossTeacher,
    'loss/consistency': texts.lossConsistency,
    'loss/student': texts.lossStudent,
    'loss/gan': texts.lossGan,
    'loss/discriminator': texts.lossDiscriminator,
    'loss/r1': texts.lossR1,
    'norm/generator': texts.normGenerator,
    'norm/fake': texts.normFake,
    'norm/discriminator': texts.normDiscriminator,
    'quality/fd': texts.frechetDistance,
    'quality/right': texts.shareRight,
    'gan/logit': texts.logits,
    'gan/right': texts.toldApart,
    'gradient/mean': texts.gradientMean,
    residual: texts.residualMeans,
    'probe/residual': texts.probeResidual,
    'probe/cosine': texts.probeCosine,
    'probe/path': texts.probePath,
    rate: texts.learningRates,
    'speed/images per second': texts.imagesPerSecond,
    'speed/processors in use': texts.processorsInUse,
    'speed/gpu': texts.gpuUse,
    'ranks/speed': texts.rankSpeed,
    'ranks/waiting': texts.rankWaiting,
    'memory/resident MB': texts.memoryMB,
    'memory/gpu': texts.gpuMemory,
    level: texts.levelRange,
    'target/decay': texts.targetDecay,
    'stage/steps': texts.stageSteps,
  };
  return titles[id] ?? id;
}

/**
 * Beside others in the same chart.
 * @param sigma of a noise level, where it is known
 */
export function curveTitle(texts: MonitorTexts, tag: string, sigma: (level: number) => number | null): string {
  const titles: Record<string, string> = {
    'residual/real': texts.residualReal,
    'residual/fake': texts.residualFake,
    'rate/generator': texts.generator,
    'rate/fake': texts.fake,
    'rate/discriminator': texts.normDiscriminator,
    'gan/logit-real': texts.logitReal,
    'gan/logit-fake': texts.logitGenerated,
    'level/first': texts.firstLevel,
    'level/last': texts.lastLevel,
  };
  const level = /^probe\/\w+\/(\d+)$/.exec(tag)?.[1];
  const card = /^(?:speed|memory)\/gpu (\d+) /.exec(tag)?.[1];
  if (level !== undefined) return levelName(texts.noiseLevel, level, sigma(Number(level)));
  const rank = /^ranks\/.* of rank (\d+)$/.exec(tag)?.[1];
  if (rank !== undefined) return fill(texts.rankNumber, rank);
  const average = /^quality\/\w+ of ema (.+)$/.exec(tag)?.[1];
  if (average !== undefined) return fill(texts.average, average);
  return titles[tag] ?? (card === undefined ? tag : fill(texts.gpu, card));
}
