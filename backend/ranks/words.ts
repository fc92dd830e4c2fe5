/** What the leader says between two iterations, and between two micro-batches of one. Every rank hears the largest word. */
export const words = {
  /** The micro-batch begins. */
  goOn: 1,
  /** The iteration is given up. */
  drop: 2,
  /** The next iteration begins. */
  iterate: 3,
  /** The run goes on with another config, which follows. */
  change: 4,
  /** The training is over. */
  end: 5,
} as const;
