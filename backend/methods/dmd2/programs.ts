/** What a DMD2 iteration runs, compiled. */
import type { Engine } from '../../engine/engine.ts';
import { inParts } from '../../engine/sharing.ts';
import type { Graph } from '../../graph/graph.ts';
import { type Stage, StagedProgram } from '../../training/staged-program.ts';
import { generateGraph } from '../dmd/graphs.ts';
import { stepGraph } from './few-steps.ts';
import { type Dmd2Shape, discriminatorGraph, generatorGraph, generatorStages, stagesOfFake } from './graphs.ts';

export interface Programs {
  readonly generator: StagedProgram;
  readonly fake: StagedProgram;
  /** Fresh samples for further updates of the fake score; null where there are none. */
  readonly fresh: StagedProgram | null;
  /** From one step of a few-step generator to what the next is given; null where there is none. */
  readonly next: StagedProgram | null;
}

interface ProgramOptions extends Dmd2Shape {
  /** Of the fake score per generator update. */
  readonly fakeUpdates: number;
  /** What a few-step generator's later steps are given. */
  readonly from: 'simulation' | 'data';
}

export async function compilePrograms(engine: Engine, options: ProgramOptions): Promise<Programs> {
  // Other divergences weigh a sample by what it is among its batch.
  const isAlone = options.divergence === 'reverse-kl';
  const compile = (name: string, stages: readonly Stage[], graphOf: (shape: Dmd2Shape) => Graph) => {
    const { graph, sharing } = inParts<Dmd2Shape>(options, graphOf);
    return StagedProgram.compile(engine, { name, stages, graph, ...(isAlone ? { sharing } : {}) });
  };
  const few = options.student.calledAgain !== undefined;
  const whole = (shape: Dmd2Shape) => (few ? stepGraph(shape, shape.batch, false) : generateGraph(shape, shape.batch));
  const simulates = few && options.from === 'simulation';
  const step = (shape: Dmd2Shape) => stepGraph(shape, shape.batch, true);
  const [generator, fake, fresh, next] = await Promise.all([
    compile('generator', generatorStages, generatorGraph),
    compile('fake score', stagesOfFake(options), discriminatorGraph),
    options.fakeUpdates > 1 ? compile('generate', [['generate', ['x']]], whole) : null,
    simulates ? compile('simulate', [['simulate', ['xNext']]], step) : null,
  ]);
  return { generator, fake, fresh, next };
}
