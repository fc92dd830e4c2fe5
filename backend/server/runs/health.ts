/** A run's health from its curves, by the rules that the run itself and the command line judge by. */
import { evaluate, ruleTitle } from '../../health/evaluate.ts';
import { numbersOf } from '../../health/numbers.ts';
import { unjudgedRules } from '../../health/rules/index.ts';
import { readTags } from '../../health/tags.ts';
import type { RunHealth } from '../../protocol/rpc/index.ts';
import type { RunHistory } from './history.ts';

export function healthOf(history: RunHistory): RunHealth {
  const numbers = numbersOf(readTags.map((tag) => history.curve(tag)));
  return {
    step: numbers.lastStep,
    verdicts: evaluate(numbers).map((verdict) => ({ ...verdict, title: ruleTitle(verdict.rule) })),
    unjudged: unjudgedRules(numbers),
  };
}
