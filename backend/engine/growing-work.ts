/**
 * How fast a device is, by work that grows until its time is the arithmetic's: on a graphics card a small product takes as long as
 * asking for it, and says nothing of a training.
 */

/** Work of one size. */
export interface Work {
  /** 10^9 operations of one run. */
  readonly gigaflop: number;
  /** Does it once, results read on the host. @returns milliseconds */
  run(): Promise<number>;
  dispose(): Promise<void>;
}

/** Work that takes so many milliseconds is large enough. */
const enough = 50;

/** Milliseconds of runs after which a device is asked no more. */
const patience = 2000;

/** Runs of each size: the first one prepares what the device keeps for the others. */
const repetitions = 3;

/**
 * The most 10^9 operations per second in works of growing size, up to the first that takes 50 ms, or as far as there is time: no
 * run begins after two seconds of them.
 * @param sizes each larger than the one before, made when it is asked for; at least one
 */
export async function speedOf(sizes: readonly (() => Promise<Work>)[]): Promise<number> {
  let [speed, spent] = [0, 0];
  for (const make of sizes) {
    const work = await make();
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < repetitions && (i === 0 || spent < patience); i++) {
      const milliseconds = await work.run();
      spent += milliseconds;
      best = Math.min(best, milliseconds);
    }
    await work.dispose();
    speed = Math.max(speed, work.gigaflop / (best / 1000));
    if (best >= enough || spent >= patience) break;
  }
  return speed;
}
