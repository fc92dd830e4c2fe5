/** zod's check of what a file or a stranger says. */
import { z } from './zod.ts';

/**
 * As `schema.safeParse`, for values with mistakes without end too: zod spreads them over the stack, which ends there. They come as one
 * mistake of the whole.
 */
export function safeParse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  try {
    return schema.safeParse(value) as z.ZodSafeParseResult<z.output<Schema>>;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const issue = {
      code: 'custom' as const,
      path: [],
      input: undefined,
      message: 'has far too many mistakes to name them',
    };
    return { success: false, error: new z.ZodError([issue]) as z.ZodError<z.output<Schema>> };
  }
}
