/** Chromium without a window, a GPU or a network. */
import { type Browser, chromium as engine } from 'playwright-core';
import { chromium } from './installed.ts';

const flags = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

export function launchBrowser(): Promise<Browser> {
  return engine.launch({ executablePath: chromium, chromiumSandbox: false, args: flags });
}
