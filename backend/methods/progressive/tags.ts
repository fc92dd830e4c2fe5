/** What the numbers of an iteration of progressive distillation are recorded as, beside those that DMD has too. */
import { curveTags } from '../../health/tags.ts';

export const progressiveTags: Readonly<Record<string, string>> = { lossStudent: curveTags.lossStudent };
