// A node:test reporter for scripts/test.mjs: one JSON line per finished test (see TestRecord in test-report.mjs).

export default async function* record(events) {
  let depth = 0;
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const parent = depth > data.nesting; // children are reported before the test that holds them
    depth = data.nesting;
    const skipped = data.skip ?? data.todo;
    yield `${JSON.stringify({
      name: data.name,
      file: data.file,
      ms: data.details.duration_ms,
      suite: data.details.type === 'suite',
      parent,
      result: skipped !== undefined && skipped !== false ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed',
      reason: typeof skipped === 'string' ? skipped : '',
    })}\n`;
  }
}
