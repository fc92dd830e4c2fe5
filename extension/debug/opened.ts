/** A session has its run: it is listed with the others, and its listing is the session's. */
import { dirname } from 'node:path';
import type * as vscode from 'vscode';
import { z } from '../../backend/protocol/config/zod.ts';
import type { Services } from '../services.ts';
import type { Listings } from './listings.ts';

const schema = z.object({ folder: z.string(), listing: z.string() });

export async function opened(
  session: vscode.DebugSession,
  body: unknown,
  listings: Listings,
  { roots, runs, errors }: Services,
): Promise<void> {
  const { success, data } = schema.safeParse(body);
  if (!success) return;
  listings.debugged(session, data.listing);
  try {
    await roots.remember(dirname(data.folder)); // a config may name another folder
    await runs.watch();
  } catch (error) {
    errors.log(error, 'Could not list the runs');
  }
}
