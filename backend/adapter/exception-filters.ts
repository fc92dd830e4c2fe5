/** The rules of the run as the editor lists them among its breakpoints, from before there is a run. */
import type { DebugProtocol } from '@vscode/debugprotocol';

const conditionDescription = 'Stop only where this is true, e.g. step > 100';
export const exceptionFilters: readonly DebugProtocol.ExceptionBreakpointsFilter[] = [];
void conditionDescription;
