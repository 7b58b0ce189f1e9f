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

  /** Runs a script, or does nothing if it has run. @returns Its exports. */
  load(file: string): unknown {
    const loaded = this.#modules.get(file);
    if (loaded) return loaded.exports;
    const module = { exports: {} as unknown };
    this.#modules.set(file, module);
    try {
      this.#run(file, module);
    } catch (error) {
      // The next one that needs it tries again: there may have been too many open files.
      this.#modules.delete(file);
      throw error;
    }
    return module.exports;
  }

  #run(file: string, module: { exports: unknown }): void {
    const folder = dirname(file);
    this.#useUsualFlags();
    // A string of one byte for each character, which is what is in a file that esbuild writes.
    const text = readWhole(file, wrapper)?.toString('latin1');
    if (text === undefined) throw new Error(`${file} is not a file, or is being written`);
    const require = (name: string): unknown =>
      name.startsWith('.') ? this.load(join(folder, name)) : process.getBuiltinModule(name);
    const preparation = this.#preparationOf(basename(file));
    if (preparation && !preparation.after) this.#changeForGood(preparation);
    const script = this.#compile(file, text);
    if (preparation?.after) preparation.before();
    try {
      (script.runInThisContext() as Run)(module.exports, require, module, file, folder);
    } finally {
      preparation?.after?.();
    }
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

  #compile(file: string, text: string): Script {
    if (!this.#kept) return new Script(text, { filename: file });
    const cachedData = this.#kept.read(file, this.#stage);
    const script = new Script(text, { filename: file, ...(cachedData && { cachedData }) });
    if (!cachedData || script.cachedDataRejected) this.#tag ??= cachedDataVersionTag();
    this.#scripts.set(file, script);
    return script;
  }
}
