/** What survives a power cut, by the file calls of a process that strace wrote down. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A call that succeeded. The numbers are those of the lines at which it began and ended. */
interface FileCall {
  readonly name: string;
  readonly text: string;
  readonly begun: number;
  readonly ended: number;
}

/** The options of strace, before its `-o FILE`. The process that is started is the traced one. */
export const straceWords = [
  '-D',
  '-f',
  '-y',
  '-s',
  '0',
  '-e',
  'trace=openat,write,pwrite64,fsync,fdatasync,rename,mkdir',
];

/** A name in a directory, and when it was made. */
interface Entry {
  readonly path: string;
  readonly at: number;
}

export class SeenDisk {
  readonly #synced = new Map<string, number>();
  /** Files of which every write is synced. */
  readonly #careful = new Set<string>();
  /** Files with bytes that would be lost. */
  readonly #dirty = new Map<string, number>();
  readonly #entries = new Map<string, Entry>();
  readonly #onRename: (disk: SeenDisk, to: string) => void;

  /** @param onRename Called before each rename. */
  constructor(onRename: (disk: SeenDisk, to: string) => void = () => {}) {
    this.#onRename = onRename;
  }

  /** Follows what strace wrote. */
  async follow(log: string): Promise<this> {
    for (const call of callsIn(await readFile(log, 'utf8'))) this.#see(call);
    return this;
  }

  /** Paths below a directory that would be missing or incomplete after a power cut. */
  lost(below: string): string[] {
    const lost = [...this.#entries.values()].filter(
      ({ path, at }) => this.#dirty.has(path) || (this.#synced.get(dirname(path)) ?? -1) < at,
    );
    return lost.map(({ path }) => path).filter((path) => path.startsWith(`${below}/`));
  }

  /** How many paths there are below a directory. */
  count(below: string): number {
    return [...this.#entries.keys()].filter((path) => path.startsWith(`${below}/`)).length;
  }

  #see({ name, text, begun, ended }: FileCall): void {
    const [first = '', second = ''] = [...text.matchAll(/"([^"]*)"/g)].map(([, path]) => path);
    const open = /^\w+\(\d+<([^>]*)>/.exec(text)?.[1] ?? '';
    if (name === 'openat' && text.includes('O_CREAT')) {
      if (/O_D?SYNC/.test(text)) this.#careful.add(first);
      this.#entries.set(first, { path: first, at: ended });
    } else if (name.includes('write')) {
      if (!this.#careful.has(open)) this.#dirty.set(open, ended);
    } else if (name.includes('sync')) {
      this.#synced.set(open, begun);
      if ((this.#dirty.get(open) ?? Number.POSITIVE_INFINITY) < begun) this.#dirty.delete(open);
    } else if (name === 'mkdir') {
      this.#entries.set(first, { path: first, at: ended });
    } else if (name === 'rename') {
      this.#onRename(this, second);
      if (this.#dirty.delete(first)) this.#dirty.set(second, ended);
      this.#entries.delete(first);
      this.#entries.set(second, { path: second, at: ended });
    }
  }
}

// A call that another thread interrupts is written in two lines.
function* callsIn(log: string): Generator<FileCall> {
  const unfinished = new Map<string, { readonly text: string; readonly begun: number }>();
  for (const [at, line] of log.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const cut = rest.indexOf(' <unfinished ...>');
    if (cut >= 0) {
      unfinished.set(thread, { text: rest.slice(0, cut), begun: at });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    const begin = resumed === undefined ? undefined : unfinished.get(thread);
    const text = begin === undefined ? rest : `${begin.text}${resumed}`;
    const name = /^(\w+)\(/.exec(text)?.[1];
    if (name !== undefined && / = \d/.test(text)) yield { name, text, begun: begin?.begun ?? at, ended: at };
  }
}
