/** What is read at most, and how long is waited: the program belongs to somebody else. docs/values.md names these. */

/** Numbers of an array that are counted for its statistics; beyond, it is shown without. About a second of the program's time. */
export const mostCounted = 1 << 25;

/** Characters of an expression. */
export const longestExpression = 4096;

/** The debugger is asked no longer than this. */
export const readSeconds = 20;
