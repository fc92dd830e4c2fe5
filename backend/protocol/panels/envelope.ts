/**
 * What crosses between a panel's page and the extension host: requests of the page that always end, and notifications in
 * both directions. Methods are RequestDefinitions and NotificationDefinitions, as between the host and the backend.
 *
 * The editor passes messages as JSON with typed arrays beside it: a NaN or an infinity outside of a typed array arrives as
 * null, so numbers that were measured travel in typed arrays.
 */
import { z } from '../config/zod.ts';

const id = z.int().min(0);

/** As in UserError; `bug` for everything else. */
export const panelErrorSchema = z.object({ kind: z.string(), message: z.string(), hint: z.string() });
export type PanelError = z.infer<typeof panelErrorSchema>;

/** From the page. */
export const pageMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('request'), id, method: z.string(), params: z.unknown() }),
  /** Nobody waits for the answer any more. */
  z.object({ type: z.literal('cancel'), id }),
  z.object({ type: z.literal('notification'), method: z.string(), params: z.unknown() }),
]);
export type PageMessage = z.infer<typeof pageMessageSchema>;

/** From the extension host. */
export const hostMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('result'), id, result: z.unknown() }),
  z.object({ type: z.literal('error'), id, error: panelErrorSchema }),
  z.object({ type: z.literal('notification'), method: z.string(), params: z.unknown() }),
]);
export type HostMessage = z.infer<typeof hostMessageSchema>;
