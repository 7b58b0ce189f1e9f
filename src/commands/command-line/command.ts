/** A command is data and a short `run`; help, completion and man pages are generated from the data. */
import type { Context } from '../../app/context.ts';

/** One option. `T` is the type that `run` receives. */
export interface OptionSpec<T> {
  /** In commander's form: `-q, --quiet`, `--platform <os/arch>`. */
  readonly flags: string;
  readonly summary: string;
  /** Converts the given words (none, one or several) to the value. */
  readonly parse: (words: readonly string[]) => T;
  /** Whether it takes a word, and whether it may be repeated. */
  readonly takes: 'nothing' | 'word' | 'words';
  /** Words for completion; others may be valid too. */
  readonly choices?: readonly string[];
}

export interface ArgumentSpec {
  /** In help: `NAME[:TAG|@DIGEST]`. */
  readonly label: string;
  readonly summary: string;
  /** `many`: one or several; `any`: none or several. */
  readonly arity: 'one' | 'optional' | 'many' | 'any';
  /** How to complete it. `stored`: an image of the local store, where no registry has others. */
  readonly completes?: 'image' | 'stored' | 'file' | 'directory' | 'nothing';
  /** Words for its completion. */
  readonly choices?: readonly string[];
  /** An image that the command reads; `store:NAME` is accepted. */
  readonly storeToo?: boolean;
  /** Whether these are another program's arguments and options, after `--`. */
  readonly foreign?: boolean;
}

/** Whether an argument names an image, in a registry or in the store, and no server or file. */
export function namesImage(argument: ArgumentSpec | undefined): boolean {
  return argument?.completes === 'image' || argument?.completes === 'stored';
}

interface Example {
  readonly text: string;
  /** The arguments after `ocictl`. */
  readonly command: string;
}

type Options = Readonly<Record<string, OptionSpec<unknown>>>;
type ValuesOf<O extends Options> = { readonly [K in keyof O]: O[K] extends OptionSpec<infer T> ? T : never };

interface CommandInput<O extends Options> {
  readonly words: readonly string[];
  readonly options: ValuesOf<O>;
  /** Loads every command that is not hidden, for commands that list all. */
  readonly commands: () => Promise<readonly Command[]>;
}

interface CommandSpec<O extends Options> {
  readonly name: string;
  /** Alternative names. */
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** Paragraphs of help below the summary. */
  readonly description: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: O;
  readonly examples: readonly Example[];
  /** @returns The exit status, if it is another program's; otherwise it is 0, or that of the error. */
  run(input: CommandInput<O>, context: Context): Promise<number | undefined> | Promise<void>;
}

/** A command whose option types only the command itself knows. */
export type Command = CommandSpec<Options>;

/** Checks a command's `run` against its own options, then erases their types. */
export function defineCommand<const O extends Options>(spec: CommandSpec<O>): Command {
  return spec as unknown as Command;
}

/** An option without a value. */
export function flag(flags: string, summary: string): OptionSpec<boolean> {
  return { flags, summary, takes: 'nothing', parse: (words) => words.length > 0 };
}

/** Optional properties of an option. */
type OptionExtras = Pick<OptionSpec<unknown>, 'choices'>;

/** An option with one value; if it is repeated, the last one counts. */
export function value(flags: string, summary: string, extras: OptionExtras = {}): OptionSpec<string | undefined> {
  return { ...extras, flags, summary, takes: 'word', parse: (words) => words.at(-1) };
}

/** An option that may be repeated, or given once with a comma-separated list. */
export function list(flags: string, summary: string, extras: OptionExtras = {}): OptionSpec<readonly string[]> {
  return {
    ...extras,
    flags,
    summary,
    takes: 'words',
    parse: (words) => words.flatMap((word) => word.split(',').filter((item) => item !== '')),
  };
}

/** An option that may be repeated; each word is taken as it is. */
export function values(flags: string, summary: string): OptionSpec<readonly string[]> {
  return { flags, summary, takes: 'words', parse: (words) => words };
}

/** The parts of `-q, --quiet` or `--platform <os/arch>`. */
interface FlagParts {
  readonly short: string | undefined;
  readonly long: string;
  /** `os/arch`; undefined for an option without a value. */
  readonly label: string | undefined;
}

/** Splits an option's flags. @throws TypeError if they do not have commander's form. */
export function readFlags(flags: string): FlagParts {
  const [, short, long, label] = /^(?:(-\w), )?(--[a-z0-9][a-z0-9-]*)(?: <([^<>]+)>)?$/.exec(flags) ?? [];
  if (long === undefined) throw new TypeError(`invalid flags: ${flags}`);
  return { short, long, label };
}
