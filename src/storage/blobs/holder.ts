import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

declare const holderBrand: unique symbol;

/** Names whoever writes a file or holds a lock: `<pid>-<machine>-<random>`, safe as a part of a file's name. */
export type Holder = string & { readonly [holderBrand]: true };

let machineTag: string | undefined;

export function newHolder(): Holder {
  return `${process.pid}-${machine()}-${randomBytes(8).toString('hex')}` as Holder;
}

export function tryParseHolder(text: string): Holder | undefined {
  return /^[1-9][0-9]{0,9}-[0-9a-f]{12}-[0-9a-f]{16}$/.test(text) ? (text as Holder) : undefined;
}

/** Whether a holder certainly lives no more. False where that cannot be known, as for another machine's. */
export function isDead(holder: Holder): boolean {
  const [pid, tag] = holder.split('-');
  if (tag !== machine()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

// A pid means something only within one boot of one kernel and one pid namespace: two containers may share a store,
// a host name and a number.
function machine(): string {
  machineTag ??= createHash('sha256')
    .update(JSON.stringify([hostname(), bootId(), pidNamespace()]))
    .digest('hex')
    .slice(0, 12);
  return machineTag;
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
