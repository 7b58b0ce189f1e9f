/** Builds commander's program from the command data: all commands by name, one of them completely. */
import { Option, Command as Program } from 'commander';
import type { Context } from '../../app/context.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import { isUnfound, withMeaning, withoutTransport } from '../../places/misread.ts';
import { isReference } from '../../places/places.ts';
import { commandTable, firstWords, loadCommands, membersOf } from './all-commands.ts';
import { type Command, namesImage, type OptionSpec } from './command.ts';
import { familyTable, lastWord } from './families.ts';
import { globalOptions } from './global-options.ts';
import { commandUsage, examplesText, groupOf, helpLayout } from './help.ts';
import type { Refused } from './usage-error.ts';

interface ProgramOptions {
  readonly version: string;
  readonly out: (text: string) => void;
  /** Creates the context when a command is about to run. */
  readonly context: (globals: GlobalValues) => Context;
  /** Called with a command's exit status if `run` returned one. */
  readonly onStatus?: (status: number) => void;
}

export interface GlobalValues {
  readonly config: string | undefined;
  /** How often `-v` was given. */
  readonly verbosity: number;
}

/** What commander refused, before the hint is found, for which tables are loaded. */
class RefusedWords extends Error {
  readonly refused: Refused;

  constructor(refused: Refused) {
    super(refused.error.message);
    this.refused = refused;
  }
}

/** Flags that may be written as values of another: a value that may be left out would take the next word. */
const otherwiseWritten: ReadonlyMap<string, string> = new Map([
  ['--check=bytes', '--check-bytes'],
  ['--check=sizes', '--check'],
]);

/** Stands for `-:` while words are parsed, which begins standard input with a type, and no option. No word has a NUL. */
const typedInput = '\0-:';

/** Runs the command that the words name. @throws OciError USAGE for whatever commander refuses; what the command throws. */
export async function parseWords(program: Program, words: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(
      words.map((word) => otherwiseWritten.get(word) ?? word.replace(/^-:/, typedInput)),
      { from: 'user' },
    );
  } catch (error) {
    if (!(error instanceof RefusedWords)) throw error;
    const { usageError } = await import('./usage-error.ts');
    throw usageError(error.refused);
  }
}

const globalGroup = 'Global options:';

/**
 * The program for these words, for {@link parseWords}. Only the command they name is loaded.
 */
export async function createProgram(words: readonly string[], options: ProgramOptions): Promise<Program> {
  const program = new Program('ocictl');
  const [word, second] = commandWords(words);
  const family = familyTable.find(({ name }) => name === word);
  const wanted = family ? `${word} ${second}` : word;
  const entry = commandTable.find(({ name, aliases = [] }) => [name, ...aliases].some((one) => one === wanted));
  const command = await entry?.load();
  configure(program, options, command, words);
  program
    .description('Work with container registries without a daemon.')
    .usage('[options] COMMAND')
    // A command may use a global option for something else: `inspect --config` means the image's config.
    .enablePositionalOptions()
    .optionsGroup(globalGroup)
    .version(options.version, '-V, --version', 'Show the version')
    .helpCommand(false);
  addGlobals(program, []);
  const parent = family ? addFamily(program, family, options, words) : program;
  if (command) addCommand(program, parent, command, options, words);
  else if (family) describeAll(parent, membersOf(family.name));
  else describeAll(program, firstWords());
  addHelp(program, family ? '[COMMAND...]' : '[COMMAND]');
  // Otherwise `ocictl no-such-command --help` would not be an error.
  if (word !== undefined && word !== 'help' && !entry && !family) program.helpOption(false);
  // With a handler, commander would report an unknown command as too many arguments.
  if (word === undefined) program.action(() => program.outputHelp());
  return program;
}

function describeAll(
  program: Program,
  entries: readonly { readonly name: string; readonly summary: string; readonly hidden?: boolean }[],
): void {
  for (const { name, summary, hidden = false } of entries)
    describe(program.command(lastWord(name), { hidden }), summary);
}

/** The program of the commands that begin with one word. It shows its help if no other word follows. */
function addFamily(
  program: Program,
  { name, summary }: (typeof familyTable)[number],
  options: ProgramOptions,
  words: readonly string[],
): Program {
  const family = describe(program.command(name), summary).usage('COMMAND').enablePositionalOptions().helpCommand(false);
  const members = membersOf(name).map((member) => lastWord(member.name));
  configure(family, options, undefined, words, members);
  family.optionsGroup(globalGroup);
  addGlobals(family, []);
  const [, second] = commandWords(words);
  if (second === undefined) family.action(() => family.outputHelp());
  return family;
}

function addCommand(
  program: Program,
  parent: Program,
  command: Command,
  options: ProgramOptions,
  words: readonly string[],
): void {
  const hidden = commandTable.some((entry) => entry.name === command.name && entry.hidden);
  const sub = describe(parent.command(lastWord(command.name), { hidden }), command.summary);
  configure(sub, options, command, words);
  if (command.aliases) sub.aliases(command.aliases);
  sub
    .description(`${command.summary}.\n\n${command.description}`)
    .usage(commandUsage(command).slice(command.name.length + 1));
  for (const { label, summary, arity } of command.arguments) {
    const name = arity === 'many' || arity === 'any' ? `${label}...` : label;
    sub.argument(arity === 'optional' || arity === 'any' ? `[${name}]` : `<${name}>`, summary);
  }
  const specs = Object.entries(command.options).map(([key, spec]) => {
    const option = new Option(spec.flags, spec.summary);
    if (spec.takes !== 'nothing') option.argParser((word: string, words: string[] = []) => [...words, word]);
    sub.addOption(option);
    return { key, spec, option };
  });
  sub.optionsGroup(globalGroup);
  const own = specs.map(({ option }) => option);
  const shared = addGlobals(sub, own);
  sub.addHelpText('after', () => examplesText(command));
  sub.action(async () => {
    const values = specs.map(({ key, spec, option }) => [key, spec.parse(givenWords(sub, option, spec))]);
    const above = parent === program ? [program] : [program, parent];
    const globals = Object.assign({}, ...above.map((one) => one.opts()));
    for (const option of shared) Object.assign(globals, givenValue(sub, option));
    if (globals['config'] === '') throw emptyValue('--config');
    const verbosity = [...above, sub].reduce((sum, one) => sum + count(one.opts()['verbose']), 0);
    const context = options.context({ config: text(globals['config']), verbosity });
    const given = sub.args.map((word) => word.replace(typedInput, '-:'));
    const words = given.map((word, at) => (isImageAt(at, command) ? withoutTransport(word) : word));
    try {
      const status = await command.run({ words, options: Object.fromEntries(values), commands: loadCommands }, context);
      if (typeof status === 'number') options.onStatus?.(status);
    } catch (error) {
      const kept = isUnfound(error) ? await keptAmong(words, command, context) : [];
      throw await withAction(withMeaning(error, imagesAmong(words, command), kept), command, words);
    }
  });
}

/** What another program calls an action of its own, as `tag ls`, is read as an image or an unknown action here. */
async function withAction(error: unknown, { name }: Command, args: readonly string[]): Promise<unknown> {
  if (args.length === 0 || !isOciError(error, 'USAGE', 'IMAGE_UNKNOWN')) return error;
  const { suggestAction } = await import('./suggest.ts');
  const hint = suggestAction([name, ...args], visibleNames());
  return hint === undefined ? error : new OciError(error.code, error.message, { hint, cause: error });
}

function visibleNames(): readonly string[] {
  return firstWords().flatMap(({ name, aliases = [], hidden }) => (hidden ? [] : [name, ...aliases]));
}

function addHelp(program: Program, words: string): void {
  describe(program.command('help'), 'Show the help of a command')
    .argument(words, 'The command')
    .usage('[COMMAND]')
    // Handle it like `ocictl COMMAND --help`, so that an unknown command gives the same error.
    .action(async (given: string | readonly string[] = []) => {
      const names = [given].flat();
      await program.parseAsync([...(names[0] === 'help' ? [] : names), '--help'], { from: 'user' });
    });
}

function addGlobals(program: Program, taken: readonly Option[]): readonly Option[] {
  const free = Object.values(globalOptions)
    .map(({ flags, summary }) => {
      const option = new Option(flags, summary);
      return flags.endsWith('>') ? option : option.argParser((_, given) => count(given) + 1);
    })
    .filter(({ long, short }) => !taken.some((own) => own.long === long || (short && own.short === short)));
  for (const option of free) program.addOption(option);
  program.helpOption('-h, --help', 'Show help');
  return free;
}

function describe(program: Program, summary: string): Program {
  const group = program.parent?.parent ? undefined : groupOf(program.name());
  return (group === undefined ? program : program.helpGroup(group)).summary(summary).description(summary);
}

/**
 * The words that are neither options nor values of global ones: first the command. `help` before the command it is for is left out.
 */
function commandWords(words: readonly string[]): readonly string[] {
  const takesValue = Object.values(globalOptions).flatMap(({ flags }) =>
    flags.endsWith('>') ? [flags.split(' ')[0]] : [],
  );
  const bare = words.filter((word, at) => !word.startsWith('-') && !takesValue.includes(words[at - 1] ?? ''));
  return bare[0] === 'help' && bare.length > 1 ? bare.slice(1) : bare;
}

function wordsOf(program: Program, option: Option): readonly string[] {
  const value: unknown = program.getOptionValue(option.attributeName());
  if (Array.isArray(value)) return value.map((word) => String(word).replace(typedInput, '-:'));
  // commander stores `--no-trunc` as `trunc: false`.
  return value === !option.negate ? [''] : [];
}

/** @throws OciError USAGE for an option with an empty value. */
function givenWords(program: Program, option: Option, { takes }: OptionSpec<unknown>): readonly string[] {
  const words = wordsOf(program, option);
  const { long } = option;
  if (takes === 'nothing' || !long || !words.includes('')) return words;
  if (emptyIsAbsent.has(long)) return words.filter((word) => word !== '');
  throw emptyValue(long);
}

/** Docker treats these as absent if they are empty, and scripts write `--platform "$PLATFORM"`. */
const emptyIsAbsent: ReadonlySet<string> = new Set(['--platform', '--format', '--filter']);

function emptyValue(option: string): OciError {
  return new OciError('USAGE', `${option} is empty`, { hint: `give ${option} a value, or leave it out` });
}

function givenValue(program: Program, option: Option): Readonly<Record<string, unknown>> {
  const name = option.attributeName();
  const value: unknown = program.getOptionValue(name);
  return value === undefined ? {} : { [name]: value };
}

/** The arguments that name images, and no server or file. */
function imagesAmong(words: readonly string[], command: Command): readonly string[] {
  return words.filter((_, at) => isImageAt(at, command));
}

function isImageAt(at: number, { arguments: list }: Command): boolean {
  return namesImage(list[at] ?? list.at(-1));
}

/** Docker looks in its own store first, and users of Docker may expect the same. */
async function keptAmong(
  words: readonly string[],
  { arguments: list }: Command,
  { findImage }: Context,
): Promise<readonly string[]> {
  // Of several images, it is not known here which was not found.
  const isOneOfMany = (at: number): boolean => list[at]?.arity === 'many' && words.length > list.length;
  const [word] = words.filter(
    (word, at) => !isOneOfMany(at) && list[at]?.storeToo && isReference(word) && !/^(?:sha256:)?[0-9a-f]+$/.test(word),
  );
  if (word === undefined) return [];
  return findImage(word).then(
    () => [word],
    () => [],
  );
}

/** How often an option without a value was given. */
function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

// commander must neither write nor exit itself: its errors become ours.
function configure(
  program: Program,
  { out }: ProgramOptions,
  command: Command | undefined,
  words: readonly string[],
  commands = visibleNames(),
): void {
  program
    .configureOutput({ writeOut: out, writeErr: () => {} })
    .configureHelp(helpLayout)
    .showSuggestionAfterError(false)
    .exitOverride((error) => {
      throw error.exitCode === 0 ? error : new RefusedWords({ error, program, command, words, commands });
    });
}
