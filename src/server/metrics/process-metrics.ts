import { readdirSync } from 'node:fs';
import { type Family, Gauge } from './instruments.ts';

/** What the process takes, under the names that Prometheus' own clients use. */
export function processMetrics(): readonly Family[] {
  const startedAt = Date.now() / 1000 - process.uptime();
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000_000;
  };
  return [
    new Gauge('process_cpu_seconds_total', 'User and system CPU time spent in seconds.', cpuSeconds, 'counter'),
    new Gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', () => process.memoryUsage.rss()),
    new Gauge('process_start_time_seconds', 'Start time of the process since the Unix epoch.', () => startedAt),
    new Gauge('process_open_fds', 'Number of open file descriptors.', openFiles),
    new Gauge('nodejs_heap_size_used_bytes', 'Used JavaScript heap in bytes.', () => process.memoryUsage().heapUsed),
    new Gauge('nodejs_external_memory_bytes', 'Memory of buffers in bytes.', () => process.memoryUsage().external),
  ];
}

function openFiles(): number | undefined {
  try {
    // The listing itself has one open.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}
