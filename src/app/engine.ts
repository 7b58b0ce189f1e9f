/** Settings of the JavaScript engine, for the command line only, never for the library. */
import { subscribe } from 'node:diagnostics_channel';
import { getHeapSpaceStatistics, getHeapStatistics, type HeapSpaceInfo, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Call it before the command line reaches registries, or serves one. */
export function prepareForTraffic(): void {
  if (prepared) return;
  prepared = true;
  keepMemoryLow();
}

/**
 * What undici needs, right before and after it is loaded. Node comes with compiled code of its own modules, which V8 takes only
 * while its flags are the usual ones: without it `node:tls` and `node:http` cost 8 ms more.
 */
export function undiciPreparation(): { readonly before: () => void; readonly after?: () => void } {
  const before = (): void => {
    // What undici loads.
    for (const name of ['node:assert', 'node:http', 'node:net', 'node:stream']) process.getBuiltinModule(name);
    // undici's HTTP parser is WebAssembly. Optimising it takes 30 MB and longer than most commands run, although the
    // parser does not even look at bodies.
    setFlagsFromString('--liftoff-only');
    if (isNode20()) setFlag('interrupt-budget', patientBudget, { forGood: true });
  };
  // Node 20 has changed flags itself before it computes what identifies them, so there is no way back.
  return isNode20() ? { before } : { before, after: () => setFlagsFromString('--no-liftoff-only') };
}

/**
 * Changes the flags that traffic has changed back, until its next check. V8 takes code only under the flags that it was
 * compiled under: call this before a script is compiled, and before code is kept.
 */
export function useUsualFlags(): void {
  for (const flag of Object.keys(usual) as Flag[]) setFlag(flag, usual[flag]);
}

function isNode20(): boolean {
  return process.versions.node.startsWith('20.');
}

type Flag = 'interrupt-budget' | 'semi-space-growth-factor';
const usual: Record<Flag, number> = { 'interrupt-budget': 67_584, 'semi-space-growth-factor': 2 };
const current: Record<Flag, number> = { ...usual };
/**
 * V8 of Node 20 optimises early, on a second thread, but most commands end before that pays off. Later versions wait by
 * default.
 */
const patientBudget = 600_000;

function setFlag(flag: Flag, value: number, { forGood = false } = {}): void {
  if (forGood) usual[flag] = value;
  if (current[flag] === value) return;
  current[flag] = value;
  setFlagsFromString(`--${flag}=${value}`);
}

let prepared = false;
const firstCheckMs = 50;
const checkIntervalMs = 10;
const restIntervalMs = 1000;
/** After this many checks with smaller changes, checks become rare. */
const restAfter = 100;
const changeBytes = 64 * 1024;
const buffersLimitBytes = 24 * 1024 * 1024;
/** To collect less takes longer than it saves memory: what the last collection has left is in use. */
const garbageBytes = 4 * 1024 * 1024;
const youngLimitBytes = 8 * 1024 * 1024;
/**
 * V8 lets a small heap triple before it collects old objects, and many requests make many objects old before they are dropped.
 * Ours collects earlier, as long as that takes some 10 ms.
 */
const leastOldBytes = 4 * 1024 * 1024;
const smallHeapBytes = 32 * 1024 * 1024;

/**
 * Frees the buffers of finished reads early. Node makes one of 64 KiB for every read of a socket, and V8 does not count them
 * when it decides whether its own small heap needs a collection: a pull would accumulate 100 MB of them.
 *
 * It also collects old objects of a small heap early, and limits the space of young objects, which grows as long as many are
 * made and dropped: to 32 MB on a busy server, and to 128 MB from Node 24 on. Its maximum can only be set when a process starts,
 * but its growth factor at any time.
 *
 * An idle server is checked once a second; a request or a new connection makes the checks frequent again.
 */
function keepMemoryLow(): void {
  let collect: Collect | undefined;
  let before = 0;
  let inUse = 0;
  let oldInUse = Number.POSITIVE_INFINITY;
  let unchanged = 0;
  let timer: NodeJS.Timeout | undefined;
  const check = (): void => {
    const external = getHeapStatistics().external_memory;
    inUse = Math.min(inUse, external);
    if (external > Math.max(buffersLimitBytes, inUse + garbageBytes)) {
      collect ??= findCollector();
      collect({ type: 'minor' });
      inUse = getHeapStatistics().external_memory;
    }
    const spaces = getHeapSpaceStatistics();
    const old = usedIn(spaces, 'old_space');
    oldInUse = Math.min(oldInUse, old);
    if (oldInUse < smallHeapBytes && old > oldInUse + Math.max(leastOldBytes, oldInUse / 2)) {
      collect ??= findCollector();
      collect();
      oldInUse = usedIn(getHeapSpaceStatistics(), 'old_space');
    }
    const young = spaces.find(({ space_name }) => space_name === 'new_space');
    // V8 shrinks the space again when little happens: then it may grow.
    setFlag('semi-space-growth-factor', (young?.space_size ?? 0) < youngLimitBytes ? 2 : 1);
    if (isNode20()) setFlag('interrupt-budget', patientBudget);
    const now = external + old;
    unchanged = Math.abs(now - before) < changeBytes ? unchanged + 1 : 0;
    before = now;
    timer = setTimeout(check, unchanged < restAfter ? checkIntervalMs : restIntervalMs).unref();
  };
  // Most commands have ended by then, and need none of this.
  timer = setTimeout(check, firstCheckMs).unref();
  const wake = (): void => {
    if (unchanged < restAfter) return;
    clearTimeout(timer);
    unchanged = 0;
    check();
  };
  subscribe('http.server.request.start', wake);
  subscribe('net.client.socket', wake);
}

function usedIn(spaces: readonly HeapSpaceInfo[], name: string): number {
  return spaces.find(({ space_name }) => space_name === name)?.space_used_size ?? 0;
}

/** Without options it collects all; with any, Node 20 collects young objects only. */
type Collect = (options?: { type: 'minor' }) => void;

function findCollector(): Collect {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc') as Collect;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
