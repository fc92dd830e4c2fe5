/** Curves of the test's own in place of recorded ones, answered as the server answers. */
import { drawCurves, readClock, readValues, type TagValues } from '../../../backend/protocol/rpc/index.ts';
import { drawnCurve } from '../../../backend/server/runs/drawn-curves.ts';
import { clockOf } from '../../../backend/server/runs/run-clock.ts';
import type { BackendInProcess } from './backend.ts';

export interface Columns {
  readonly steps: Float64Array;
  readonly values: Float64Array;
  readonly times: Float64Array;
}

/** @param curveOf a curve of a run, for each of `tags` */
export function answerCurves(
  backend: BackendInProcess,
  tags: readonly string[],
  curveOf: (tag: string, folder: string) => Columns,
): void {
  const upTo = ({ steps, values }: Columns, step: number) => {
    const index = steps.findLastIndex((at) => at <= step);
    return index < 0 ? undefined : { step: steps[index]!, value: values[index]! };
  };
  const points = (wanted: readonly string[], folder: string, step: number): TagValues => {
    const found = wanted.flatMap((tag) => {
      const point = upTo(curveOf(tag, folder), step);
      return point ? [{ tag, ...point }] : [];
    });
    return {
      tags: found.map(({ tag }) => tag),
      steps: Float64Array.from(found, (point) => point.step),
      values: Float64Array.from(found, ({ value }) => value),
    };
  };
  backend.answer(drawCurves, ({ folder, tags: wanted, ...drawing }) =>
    wanted.map((tag) => drawnCurve(tag, curveOf(tag, folder), drawing)),
  );
  backend.answer(readClock, ({ folder }) =>
    clockOf({
      longest: () =>
        tags.map((tag) => curveOf(tag, folder)).reduce((a, b) => (b.steps.length > a.steps.length ? b : a)),
      lastValues: () => points(tags, folder, Number.POSITIVE_INFINITY),
    }),
  );
  backend.answer(readValues, ({ folder, tags: wanted, step }) => points(wanted, folder, step));
}
