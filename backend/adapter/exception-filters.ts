/** The rules of a run as the editor lists them among its breakpoints, from before there is a run: the debugger's own, then those of health. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { ownRules } from '../debug/rules.ts';
import { ruleNames, ruleTitle } from '../health/evaluate.ts';

const healthRules = ruleNames.map((rule) => ({
  ...{ rule, label: ruleTitle(rule), default: false },
  description: 'A rule of health, judged by what the run has recorded.',
}));

export const exceptionFilters: readonly DebugProtocol.ExceptionBreakpointsFilter[] = [...ownRules, ...healthRules].map(
  ({ rule: filter, label, description, default: on }) => ({
    ...{ filter, label: `${label.charAt(0).toUpperCase()}${label.slice(1)}`, description, default: on },
    supportsCondition: true,
    conditionDescription: 'Stop only where this is true, e.g. step > 100',
  }),
);
