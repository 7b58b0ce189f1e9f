import { readdirSync, readFileSync } from 'node:fs';

/** Processes that are watched with their children, to know when they wait for something outside. */
export class Sleepers {
  readonly #pids = new Set<number>();
  #before = '';

  add(pid: number): void {
    this.#pids.add(pid);
  }

  /**
   * @returns True if no thread runs, and none has since the last look; false if one does or did; undefined where nothing is
   * watched, or this system does not tell.
   */
  look(): boolean | undefined {
    let [threads, busy] = ['', false];
    for (const pid of this.#pids) {
      const found = [...family(pid)].flatMap(threadsOf);
      if (found.length === 0) this.#pids.delete(pid);
      for (const { state, switches } of found) {
        // Running, or in a system call that does not wait for a peer, such as a sync.
        busy ||= state === 'R' || state === 'D';
        threads += `${switches} `;
      }
    }
    const same = threads === this.#before;
    this.#before = threads;
    return this.#pids.size === 0 ? undefined : same && !busy;
  }
}

function* family(pid: number): Generator<number> {
  yield pid;
  for (const thread of list(`/proc/${pid}/task`)) {
    for (const child of read(`/proc/${pid}/task/${thread}/children`).split(' ')) {
      if (child !== '') yield* family(Number(child));
    }
  }
}

/** @see proc_pid_status(5): a thread that woke for a moment has switched once more. */
function threadsOf(pid: number): { readonly state: string; readonly switches: string }[] {
  return list(`/proc/${pid}/task`).flatMap((thread) => {
    const status = read(`/proc/${pid}/task/${thread}/status`);
    const state = /^State:\t(\w)/m.exec(status)?.[1];
    const switches = /^voluntary_ctxt_switches:\t(\d+)/m.exec(status)?.[1];
    return state === undefined || switches === undefined ? [] : [{ state, switches: `${thread}:${switches}` }];
  });
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
