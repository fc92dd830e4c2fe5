/** A run in a process of its own, which outlives whoever started it. */
