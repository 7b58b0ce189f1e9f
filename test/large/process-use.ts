import { readFile } from 'node:fs/promises';
import type { Running } from '../support/process.ts';

/** What a child needs while it runs: its highest resident size, and its processor time, which other load does not make longer. */
export async function watchUse({ child }: Running): Promise<{ readonly peak: number; readonly processorMs: number }> {
  let [peak, processorMs] = [0, 0];
  while (child.exitCode === null && child.signalCode === null) {
    peak = Math.max(peak, (await peakBytes(child.pid)) ?? 0);
    processorMs = Math.max(processorMs, (await processorMsOf(child.pid)) ?? 0);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { peak, processorMs };
}

/** The kernel's own high-water mark: only what happens after the last reading is missed. */
export async function peakBytes(pid: number | undefined): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

// The numbers behind the name of the program, which may have spaces, are in hundredths of a second.
async function processorMsOf(pid: number | undefined): Promise<number | undefined> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')).split(') ')[1]?.split(' ');
  return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) * 10;
}
