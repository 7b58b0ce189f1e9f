/** What shells can complete, derived from the command data once for all shells. */

import type { ArgumentSpec, Command, OptionSpec } from '../command-line/command.ts';
import { readFlags } from '../command-line/command.ts';
import { familyTable } from '../command-line/families.ts';
import { globalOptions } from '../command-line/global-options.ts';
import { platformWords } from '../command-line/options.ts';

/** The completion of an argument or a value: words to choose from, one or a comma-separated list, or names to look up. */
export type Completes =
  | { readonly kind: 'words' | 'list'; readonly words: readonly string[] }
  | { readonly kind: 'image' | 'stored' | 'file' | 'directory' | 'nothing' };

export interface CompletableOption {
  /** `-q` and `--quiet`. */
  readonly short: string | undefined;
  readonly long: string;
  readonly summary: string;
  /** Whether it may be repeated. */
  readonly repeats: boolean;
  /** Its value, with its name in help; undefined for an option without a value. */
  readonly value: { readonly label: string; readonly completes: Completes } | undefined;
}

export interface CompletableArgument {
  readonly label: string;
  readonly arity: ArgumentSpec['arity'];
  readonly completes: Completes;
}

export interface CompletableCommand {
  /** Of a command of a family: both words. */
  readonly name: string;
  readonly summary: string;
  /** The command's own options, and the global ones that it does not use for something else. */
  readonly options: readonly CompletableOption[];
  readonly arguments: readonly CompletableArgument[];
}

export interface CompletableFamily extends Pick<CompletableCommand, 'name' | 'summary' | 'options'> {
  /** Their names have both words. */
  readonly members: readonly CompletableCommand[];
}

export interface Completable {
  /** The options before the command. */
  readonly options: readonly CompletableOption[];
  /** Words that commands begin with, which take a second word. */
  readonly families: readonly CompletableFamily[];
  readonly commands: readonly CompletableCommand[];
}

/** Completion by a value's name in help, if the option itself does not define it. */
const completesByLabel: Readonly<Record<string, Completes>> = {
  dir: { kind: 'directory' },
  directory: { kind: 'directory' },
  file: { kind: 'file' },
  path: { kind: 'file' },
  'os/arch': { kind: 'list', words: [...platformWords, 'all'] },
};

export function completableOf(commands: readonly Command[]): Completable {
  const switches = { help: { flags: '-h, --help', summary: 'Show help' } };
  const globals = Object.values({ ...globalOptions, ...switches }).map(globalOption);
  const version = globalOption({ flags: '-V, --version', summary: 'Show the version' });
  const spelled = commands.flatMap((one) => [one, ...(one.aliases ?? []).map((name) => ({ ...one, name }))]);
  const ofFamilies = spelled.filter(({ name }) => name.includes(' ')).map((one) => commandOf(one, globals));
  const families = familyTable.flatMap(({ name, summary }) => {
    const members = ofFamilies.filter((member) => member.name.startsWith(`${name} `));
    return members.length === 0 ? [] : [{ name, summary, options: globals, members }];
  });
  const plain = spelled.filter(({ name }) => !name.includes(' ')).map((one) => commandOf(one, globals));
  const names = [...plain, ...families].map(({ name }) => name);
  const help: CompletableCommand = {
    name: 'help',
    summary: 'Show the help of a command',
    options: [],
    arguments: [{ label: 'COMMAND', arity: 'optional', completes: { kind: 'words', words: [...names, 'help'] } }],
  };
  return { options: [...globals, version], families, commands: [...plain, help] };
}

function commandOf(command: Command, globals: readonly CompletableOption[]): CompletableCommand {
  const own = Object.values(command.options).map(optionOf);
  const free = globals.filter(
    ({ long, short }) => !own.some((one) => one.long === long || (short !== undefined && one.short === short)),
  );
  return {
    name: command.name,
    summary: command.summary,
    options: [...own, ...free],
    arguments: command.arguments.map(({ label, arity, completes = 'nothing', choices }) => ({
      label,
      arity,
      completes: choices ? { kind: 'words', words: choices } : { kind: completes },
    })),
  };
}

function optionOf({ flags, summary, takes, choices }: OptionSpec<unknown>): CompletableOption {
  const { short, long, label = 'value' } = readFlags(flags);
  const known: Completes = choices
    ? { kind: takes === 'words' ? 'list' : 'words', words: choices }
    : (completesByLabel[label] ?? { kind: 'nothing' });
  // A single-value option is not completed as a list, nor with `all`.
  const completes: Completes =
    known.kind === 'list' && takes === 'word'
      ? { kind: 'words', words: known.words.filter((word) => choices || word !== 'all') }
      : known;
  return {
    short,
    long,
    summary,
    repeats: takes === 'words',
    value: takes === 'nothing' ? undefined : { label, completes },
  };
}

function globalOption({ flags, summary }: { readonly flags: string; readonly summary: string }): CompletableOption {
  return optionOf({
    flags,
    summary,
    takes: readFlags(flags).label === undefined ? 'nothing' : 'word',
    parse: (words) => words,
  });
}
