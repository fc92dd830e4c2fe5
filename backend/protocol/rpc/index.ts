/** Every request and notification between the editor and the backend. */
export * from './asks.ts';
export type { NotificationDefinition, RequestDefinition } from './define.ts';
export * from './errors.ts';
export * from './images.ts';
export * from './inspect.ts';
export * from './models.ts';
export * from './runs.ts';
export * from './service.ts';
export * from './weights.ts';
