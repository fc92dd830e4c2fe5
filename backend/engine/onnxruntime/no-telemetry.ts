/**
 * Imported before onnxruntime-node: its 1.30 builds report usage to their maker over the network unless this variable is
 * set when the library starts. This product talks to nobody. A worker thread's environment is a copy the library does
 * not see, so programs that start workers import this in their main thread as well.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
