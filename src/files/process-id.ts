import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

declare const processBrand: unique symbol;

/**
 * Names whoever writes a file or holds a lock: `<pid>-<machine>-<start><random>`, safe as a part of a file's name, and
 * another one at each call. The last part has 16 hex digits, the first 6 of which are the time the process started at.
 */
export type ProcessId = string & { readonly [processBrand]: true };

/** `dead`, `alive`: for certain. `unknown`: on another machine, or where the system does not tell when a process started. */
export type ProcessState = 'dead' | 'alive' | 'unknown';

const startDigits = 6;

export function newProcessId(): ProcessId {
  ownStart ??= startOf('self') ?? unknownStart;
  return `${process.pid}-${machines()[0]}-${ownStart}${randomBytes(5).toString('hex')}` as ProcessId;
}

/** The process that a text names, or undefined. Layouts had twelve digits at the end before. */
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
  // Numbers are given again: within a minute in a busy container, at once in one that was started again.
  return then === now ? 'alive' : 'dead';
}

/** Whether a process of this machine has this number. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

const unknownStart = '0'.repeat(startDigits);
let ownStart: string | undefined;
let machineTags: readonly string[] | undefined;

// A pid means something only within one boot of one kernel and one pid namespace: two containers may share a directory,
// a host name and a number. After today's tag come the earlier ones of stores and of layouts, whose names tell no start.
function machines(): readonly string[] {
  if (machineTags === undefined) {
    const parts = [
      hostname(),
      orNothing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
      orNothing(() => readlinkSync('/proc/self/ns/pid')),
    ];
    const texts = [['process', ...parts].join('\n'), JSON.stringify(parts), parts.join('\n')];
    machineTags = texts.map((text) => createHash('sha256').update(text).digest('hex').slice(0, 12));
  }
  return machineTags;
}

// Field 22 of proc_pid_stat(5), in ticks since the boot. The second is a name that may hold blanks and parentheses.
function startOf(pid: string): string | undefined {
  const stat = orNothing(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  if (ticks === undefined || !/^[0-9]+$/.test(ticks)) return undefined;
  return Number(ticks).toString(16).padStart(startDigits, '0').slice(-startDigits);
}

// Only Linux has them.
function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
