/** Processor time that work takes in this process, in milliseconds: other load does not make it longer. */
export function processorMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  return elapsedMs(before);
}

/** The same for asynchronous work. */
export async function processorMsOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  return elapsedMs(before);
}

function elapsedMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
