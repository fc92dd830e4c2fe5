/** What is asked of the inspecting thread, and what it says. Between threads only plain data travels. */
import type { Inspection, InspectionQuery } from '../../protocol/inspection.ts';
import type { PlaneQuestion, PlaneReading } from '../../protocol/plane.ts';
import type { Inspectable } from '../../protocol/rpc/inspect.ts';
import type { FieldTensor } from '../../protocol/rpc/runs.ts';
import type { CancelWork, WorkEnd } from '../work-thread.ts';

export interface DescribeWork {
  readonly type: 'describe';
  readonly folder: string;
}

export interface InspectWork {
  readonly type: 'inspect';
  readonly folder: string;
  /** Of a checkpoint. */
  readonly step: number;
  readonly query: InspectionQuery;
}

/** A run in the plane that works no more, as its newest checkpoint has it. */
export interface PlaneWork {
  readonly type: 'plane';
  readonly folder: string;
  readonly question: PlaneQuestion;
}

export interface DecodeWork {
  readonly type: 'decode';
  readonly folder: string;
  readonly latents: FieldTensor;
}

/** Frees what is kept ready. */
export interface ReleaseWork {
  readonly type: 'release';
}

export interface Results {
  describe: Omit<Inspectable, 'live'>;
  inspect: Inspection;
  plane: PlaneReading;
  decode: FieldTensor;
  release: null;
}

export type Work = DescribeWork | InspectWork | PlaneWork | DecodeWork | ReleaseWork;
export type ToThread = Work | CancelWork;

export interface News {
  readonly type: 'progress';
  readonly label: string;
  readonly done: number;
  readonly total: number;
}

export type FromThread = News | WorkEnd<Results[Work['type']]>;
