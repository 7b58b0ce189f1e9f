import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

declare const ownerBrand: unique symbol;

/** Names whoever writes a file or holds the lock: `<pid>-<machine>-<random>`, safe as a part of a file's name. */
export type Owner = string & { readonly [ownerBrand]: true };

let machineTag: string | undefined;

export function newOwner(): Owner {
  return `${process.pid}-${machine()}-${randomBytes(6).toString('hex')}` as Owner;
}

/** The owner that a text names, or undefined. For files that anybody may have put there. */
export function tryParseOwner(text: string): Owner | undefined {
  return /^[1-9][0-9]{0,9}-[0-9a-f]{12}-[0-9a-f]{12}$/.test(text) ? (text as Owner) : undefined;
}

/** `dead`: certainly. `alive`: its process runs, here. `elsewhere`: on another machine, where nobody here can look. */
export function ownerState(owner: Owner): 'dead' | 'alive' | 'elsewhere' {
  const [pid, tag] = owner.split('-');
  if (tag !== machine()) return 'elsewhere';
  try {
    process.kill(Number(pid), 0);
    return 'alive';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'dead' : 'alive';
  }
}

// A pid means something only within one boot of one kernel and one pid namespace: containers may share a directory.
function machine(): string {
  machineTag ??= createHash('sha256')
    .update([hostname(), orNothing(bootId), orNothing(pidNamespace)].join('\n'))
    .digest('hex')
    .slice(0, 12);
  return machineTag;
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid');
}

// Only Linux has them.
function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
