// A node:test reporter in the process of a contract's tests: sends what is known of them after each one to the parent, as findings.

export default async function* report(events) {
  const rows = [];
  const failures = [];
  const findings = () => ({ table: { head: ['promise', 'kept', 'took'], rows }, notes: [], failures });
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const kept = type === 'test:pass';
    const name = data.name.replace(/^[^:]*: /, '');
    rows.push([name, kept ? 'yes' : 'NO', `${(data.details.duration_ms / 1000).toFixed(1)} s`]);
    const { cause, message } = data.details.error ?? {};
    if (!kept) failures.push(`${name}: ${String(cause?.message ?? message).split('\n')[0]}`);
    process.send?.({ findings: findings() });
  }
  // Leaves without the runtime's own clean-up, which has been seen to hang or crash once everything is done.
  process.send?.({ findings: findings(), end: 'passed' }, () => process.exit(0));
  yield '';
}
