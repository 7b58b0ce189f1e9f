import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

declare const processBrand: unique symbol;

/**
 * Names the process that writes a file or holds a lock: `<pid>-<machine>-<start><random>`. Safe as a part of a file name,
 * and different at each call. The last part has 16 hex digits, of which the first 6 are the start time of the process.
 */
export type ProcessId = string & { readonly [processBrand]: true };

/** `dead` and `alive` are certain. `unknown`: on another machine, or the system does not report when a process started. */
export type ProcessState = 'dead' | 'alive' | 'unknown';

const startDigits = 6;

export function newProcessId(): ProcessId {
  ownStart ??= startOf('self') ?? unknownStart;
  return `${process.pid}-${machines()[0]}-${ownStart}${randomBytes(5).toString('hex')}` as ProcessId;
}

/** The process ID in a text, or undefined. Layouts of earlier versions have twelve digits at the end. */
export function tryParseProcessId(text: string): ProcessId | undefined {
  return /^[1-9][0-9]{0,9}-[0-9a-f]{12}-(?:[0-9a-f]{12}|[0-9a-f]{16})$/.test(text) ? (text as ProcessId) : undefined;
}

export function processState(id: ProcessId): ProcessState {
  const [pid = '', machine = '', last = ''] = id.split('-');
  const known = machines().indexOf(machine);
  if (known === -1) return 'unknown';
  if (!isRunning(Number(pid))) return 'dead';
  const [then, now] = [last.slice(0, startDigits), startOf(pid)];
  if (known !== 0 || then === unknownStart || now === undefined) return 'unknown';
  // Pids are reused: within a minute in a busy container, and at once in a restarted one.
  return then === now ? 'alive' : 'dead';
}

/** Whether a process on this machine has this pid and has not ended. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
  // A killed process keeps its number until its parent has asked for its status, which some parents never do.
  return !/^[ZX]$/.test(statFields(String(pid))[0] ?? '');
}

/** The same word as long as the system runs: what was written without a sync is there whole. Where it tells none, of this process. */
export function bootWord(): string {
  boot ??= orNothing(readBootId) || newProcessId();
  return boot;
}

const unknownStart = '0'.repeat(startDigits);
const readBootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

let boot: string | undefined;
let ownStart: string | undefined;
let machineTags: readonly string[] | undefined;

// A pid is meaningful within one boot of one kernel and one pid namespace only: two containers that share a directory
// may have the same host name and pid. The first tag is today's; the others are those of earlier stores and layouts,
// whose names have no start time.
function machines(): readonly string[] {
  if (machineTags === undefined) {
    const parts = [hostname(), orNothing(readBootId), orNothing(() => readlinkSync('/proc/self/ns/pid'))];
    const texts = [['process', ...parts].join('\n'), JSON.stringify(parts), parts.join('\n')];
    machineTags = texts.map((text) => createHash('sha256').update(text).digest('hex').slice(0, 12));
  }
  return machineTags;
}

// Field 22 of proc_pid_stat(5), in ticks since boot.
function startOf(pid: string): string | undefined {
  const ticks = statFields(pid)[19];
  if (ticks === undefined || !/^[0-9]+$/.test(ticks)) return undefined;
  return Number(ticks).toString(16).padStart(startDigits, '0').slice(-startDigits);
}

// The fields from the third on, which is the state. The second is a name that may contain spaces and parentheses.
function statFields(pid: string): readonly string[] {
  const stat = orNothing(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

// These files exist on Linux only.
function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
