/** Loads the scripts of dist/, which scripts/commonjs.mjs makes, with the code that V8 compiled of them in earlier runs. */
import { basename, dirname, join } from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import type { KeptCode } from './kept-code.ts';
import { readWhole } from './read-whole.ts';

/** What a CommonJS script is given, in this order. */
type Run = (
  exports: unknown,
  require: (name: string) => unknown,
  module: { exports: unknown },
  __filename: string,
  __dirname: string,
) => void;

const wrapper = { before: '(function (exports, require, module, __filename, __dirname) {', after: '\n})' };

/** The name of the only part of a file that has no others. */
const whole = '';
/** scripts/script-files.mjs writes these. */
const [partsMark, partMark, endMark] = ['//parts\n', '\n//part ', '\n//end\n'];

interface Source {
  readonly text: string;
  /** That it begins at in its file. */
  readonly line: number;
}

/** What a script needs. It may change V8's flags, under which code that was compiled before is of no use. */
interface Preparation {
  readonly before: () => void;
  /** Changes the flags back; missing if that is impossible. */
  readonly after?: () => void;
}

interface LoaderOptions {
  readonly kept?: KeptCode | undefined;
  /** What a script needs, by its name. */
  readonly preparationOf?: (script: string) => Preparation | undefined;
  /** Called before a script is compiled and before code is kept, to change V8's flags back to the usual ones. */
  readonly useUsualFlags?: () => void;
}

export class ScriptLoader {
  readonly #sources = new Map<string, ReadonlyMap<string, Source>>();
  readonly #parts = new Map<string, Readonly<Record<string, () => unknown>>>();
  readonly #modules = new Map<string, { exports: unknown }>();
  readonly #scripts = new Map<string, Script>();
  readonly #kept: KeptCode | undefined;
  readonly #preparationOf: (script: string) => Preparation | undefined;
  readonly #useUsualFlags: () => void;
  /** V8's flags and version when the first script without code was loaded. V8 takes code under the same ones only. */
  #tag: number | undefined;
  /** Code is kept for the flags it was compiled under: V8's usual ones, or those after a preparation for good. */
  #stage: 'usual' | 'prepared' = 'usual';

  constructor({ kept, preparationOf = () => undefined, useUsualFlags = () => {} }: LoaderOptions = {}) {
    this.#kept = kept;
    this.#preparationOf = preparationOf;
    this.#useUsualFlags = useUsualFlags;
  }

  /**
   * Runs a script, or does nothing if it has run.
   *
   * @param part Of a file that scripts/script-files.mjs has made.
   * @returns Its exports.
   */
  load(file: string, part = whole): unknown {
    const id = part === whole ? file : `${file}.${part}`;
    const loaded = this.#modules.get(id);
    if (loaded) return loaded.exports;
    const module = { exports: {} as unknown };
    this.#modules.set(id, module);
    try {
      this.#run(id, file, part, module);
    } catch (error) {
      // The next one that needs it tries again: there may have been too many open files.
      this.#modules.delete(id);
      throw error;
    }
    return module.exports;
  }

  #run(id: string, file: string, part: string, module: { exports: unknown }): void {
    this.#useUsualFlags();
    const source = (this.#sources.get(file) ?? this.#readSources(file)).get(part);
    if (source === undefined) throw new Error(`${file} has no part ${part}`);
    const folder = dirname(file);
    const require = (name: string): unknown =>
      name.startsWith('.') ? this.#required(join(folder, name)) : process.getBuiltinModule(name);
    const preparation = this.#preparationOf(basename(file));
    if (preparation && !preparation.after) this.#changeForGood(preparation);
    const script = this.#compile(id, file, source);
    if (preparation?.after) preparation.before();
    try {
      (script.runInThisContext() as Run)(module.exports, require, module, file, folder);
    } finally {
      preparation?.after?.();
    }
  }

  /** What a script is given that asks for another: of a file with parts, a function for each. */
  #required(file: string): unknown {
    const sources = this.#sources.get(file) ?? this.#readSources(file);
    if (sources.has(whole)) return this.load(file);
    const known = this.#parts.get(file);
    if (known) return known;
    const parts = Object.fromEntries([...sources.keys()].map((part) => [part, () => this.load(file, part)]));
    this.#parts.set(file, parts);
    return parts;
  }

  #readSources(file: string): ReadonlyMap<string, Source> {
    // A string of one byte for each character, which is what is in a file that esbuild writes.
    const text = readWhole(file, wrapper)?.toString('latin1');
    if (text === undefined) throw new Error(`${file} is not a file, or is being written`);
    const sources = sourcesIn(text);
    this.#sources.set(file, sources);
    return sources;
  }

  /**
   * Keeps the code of all scripts, if a script was new: then this run has done what no run before it did. What is kept has every
   * function that was called so far.
   */
  keep(): void {
    this.#useUsualFlags();
    if (!this.#kept || this.#tag === undefined || this.#tag !== cachedDataVersionTag()) return;
    this.#kept.write(this.#scripts, this.#stage);
  }

  #changeForGood({ before }: Preparation): void {
    this.keep();
    this.#scripts.clear();
    this.#tag = undefined;
    this.#stage = 'prepared';
    before();
  }

  #compile(id: string, filename: string, { text, line }: Source): Script {
    const options = { filename, lineOffset: line - 1 };
    if (!this.#kept) return new Script(text, options);
    const cachedData = this.#kept.read(id, this.#stage);
    const script = new Script(text, { ...options, ...(cachedData && { cachedData }) });
    if (!cachedData || script.cachedDataRejected) this.#tag ??= cachedDataVersionTag();
    this.#scripts.set(id, script);
    return script;
  }
}

/** @param text Of a file, within the wrapper. */
function sourcesIn(text: string): ReadonlyMap<string, Source> {
  if (!text.startsWith(partsMark, wrapper.before.length)) return new Map([[whole, { text, line: 1 }]]);
  const sources = new Map<string, Source>();
  for (let at = text.indexOf(partMark); at >= 0; at = text.indexOf(partMark, at)) {
    const from = text.indexOf('\n', at + 1) + 1;
    const [name = '', line] = text.slice(at + partMark.length, from - 1).split(' ');
    at = text.indexOf(endMark, from);
    sources.set(name, { text: text.slice(from, at), line: Number(line) });
  }
  return sources;
}
