/** The rules of a run as the editor lists them among its breakpoints; before there is a run they are those that every run has. */
import type { DebugProtocol } from '@vscode/debugprotocol';

export interface Rule {
  readonly rule: string;
  readonly label: string;
  readonly description: string;
  readonly default: boolean;
}

export function filtersOf(rules: readonly Rule[]): DebugProtocol.ExceptionBreakpointsFilter[] {
  return rules.map(({ rule: filter, label, description, default: on }) => ({
    ...{ filter, label, description, default: on },
    supportsCondition: true,
    conditionDescription: 'Stop only where this is true, e.g. step > 100',
  }));
}

/** Those that every run has; a run says which it has when it is attached to. */
const usual: readonly Rule[] = [
  { rule: 'numeric', label: 'NaN or Infinity', description: 'A number is not finite.', default: true },
];

export const exceptionFilters = filtersOf(usual);
