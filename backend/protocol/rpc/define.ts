/**
 * What a request and a notification are: a method name with schemas for what crosses. Both sides check with them, so that
 * neither a stale backend nor a damaged message gets further than the channel.
 */
import { z } from '../config/zod.ts';

/** A question that always ends: with a result, an error, cancelled or timed out. */
export interface RequestDefinition<P, R> {
  readonly method: string;
  readonly params: z.ZodType<P>;
  readonly result: z.ZodType<R>;
  /** After so many seconds the asker gives up; null: it takes as long as it takes, with progress and cancel. */
  readonly timeoutSeconds: number | null;
}

export interface NotificationDefinition<P> {
  readonly method: string;
  readonly params: z.ZodType<P>;
}

const defaultTimeoutSeconds = 30;

export function request<P, R>(
  method: string,
  params: z.ZodType<P>,
  result: z.ZodType<R>,
  timeoutSeconds: number | null = defaultTimeoutSeconds,
): RequestDefinition<P, R> {
  return { method, params, result, timeoutSeconds };
}

export function notification<P>(method: string, params: z.ZodType<P>): NotificationDefinition<P> {
  return { method, params };
}

/** Bytes of a file, as bytes. */
export const bytes: z.ZodType<Uint8Array> = z.instanceof(Uint8Array);
export const float32: z.ZodType<Float32Array> = z.instanceof(Float32Array);
export const float64: z.ZodType<Float64Array> = z.instanceof(Float64Array);
/** Any number a run can measure, NaN and infinities included, which z.number() refuses. */
export const measured = z.custom<number>((value) => typeof value === 'number', 'expected a number');

/** Nothing to say. */
export const nothing = z.null();

/** A path on the machine the backend runs on, absolute. */
export const path = z.string().min(1).max(32_768);
export const step = z.int().min(0);
/** The text of a config; a person's is a few kilobytes. */
export const configText = z.string().max(1_000_000);
