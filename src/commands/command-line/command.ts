/** A command is data plus a short `run`; help, completion and man pages are made from the same data. */
import type { Context } from '../../app/context.ts';

/** One option. `T` is what `run` receives for it. */
export interface OptionSpec<T> {
  /** As commander writes it: `-q, --quiet`, `--platform <os/arch>`. */
  readonly flags: string;
  readonly summary: string;
  /** Turns the words given (none, one, several) into the value. */
  readonly parse: (words: readonly string[]) => T;
  /** Whether it takes a word, and whether it may be given again. */
  readonly takes: 'nothing' | 'word' | 'words';
  /** Words it can take, for completion; it may take others too. */
  readonly choices?: readonly string[];
}

export interface ArgumentSpec {
  /** In help: `NAME[:TAG|@DIGEST]`. */
  readonly label: string;
  readonly summary: string;
  readonly arity: 'one' | 'optional' | 'many';
  /** What to complete it with. */
  readonly completes?: 'image' | 'file' | 'directory' | 'nothing';
  /** Words to complete it with. */
  readonly choices?: readonly string[];
  /** Whether it alone is read, and the local store's image may have been meant. */
  readonly storeToo?: boolean;
  /** Whether these are another program's words, with its options, and stand behind `--`. */
  readonly foreign?: boolean;
}

interface Example {
  readonly text: string;
  /** The words after `ocictl`. */
  readonly command: string;
}

type Options = Readonly<Record<string, OptionSpec<unknown>>>;
type ValuesOf<O extends Options> = { readonly [K in keyof O]: O[K] extends OptionSpec<infer T> ? T : never };

interface CommandInput<O extends Options> {
  readonly words: readonly string[];
  readonly options: ValuesOf<O>;
  /** Loads every command that people see, for one that tells of all. */
  readonly commands: () => Promise<readonly Command[]>;
}

interface CommandSpec<O extends Options> {
  readonly name: string;
  /** Other words for it. */
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** Paragraphs of help below the summary. */
  readonly description: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: O;
  readonly examples: readonly Example[];
  /** @returns The exit status, where it is another program's; else it is 0, or that of the error. */
  run(input: CommandInput<O>, context: Context): Promise<number | undefined> | Promise<void>;
}

/** A command whose option types are known to nobody but itself. */
export type Command = CommandSpec<Options>;

/** Checks a command's `run` against its own options, then forgets their types. */
export function defineCommand<const O extends Options>(spec: CommandSpec<O>): Command {
  return spec as unknown as Command;
}

/** A switch. */
export function flag(flags: string, summary: string): OptionSpec<boolean> {
  return { flags, summary, takes: 'nothing', parse: (words) => words.length > 0 };
}

/** What an option may say beside its flags. */
type OptionExtras = Pick<OptionSpec<unknown>, 'choices'>;

/** An option with one value; the last one given counts. */
export function value(flags: string, summary: string, extras: OptionExtras = {}): OptionSpec<string | undefined> {
  return { ...extras, flags, summary, takes: 'word', parse: (words) => words.at(-1) };
}

/** An option that may be given several times, or once with a comma-separated list. */
export function list(flags: string, summary: string, extras: OptionExtras = {}): OptionSpec<readonly string[]> {
  return {
    ...extras,
    flags,
    summary,
    takes: 'words',
    parse: (words) => words.flatMap((word) => word.split(',').filter((item) => item !== '')),
  };
}

/** The parts of `-q, --quiet` or `--platform <os/arch>`. */
interface FlagParts {
  readonly short: string | undefined;
  readonly long: string;
  /** `os/arch`; undefined for a switch. */
  readonly label: string | undefined;
}

/** Takes an option's flags apart. @throws TypeError where they are not written as commander wants them. */
export function readFlags(flags: string): FlagParts {
  const [, short, long, label] = /^(?:(-\w), )?(--[a-z0-9][a-z0-9-]*)(?: <([^<>]+)>)?$/.exec(flags) ?? [];
  if (long === undefined) throw new TypeError(`these are no flags: ${flags}`);
  return { short, long, label };
}
