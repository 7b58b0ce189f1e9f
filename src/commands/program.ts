/** Builds commander's program out of the command data: all commands by name, one of them whole. */
import { type CommanderError, Option, Command as Program } from 'commander';
import type { Context } from '../app.ts';
import { OciError, type OciErrorOptions } from '../model/errors.ts';
import type { Command } from './command.ts';
import { commandUsage, examplesText, groupOf, helpLayout, paragraphsOf } from './help.ts';
import { commandTable } from './table.ts';

/** The options that stand before or after any command's name. */
export const globalOptions = {
  config: {
    flags: '--config <dir>',
    summary: "Directory of Docker's config.json (default $DOCKER_CONFIG or ~/.docker)",
  },
  verbose: { flags: '-v, --verbose', summary: 'Tell requests and decisions on stderr' },
} as const;

export interface ProgramOptions {
  readonly version: string;
  readonly out: (text: string) => void;
  /** Makes the context, when a command is about to run. */
  readonly context: (globals: GlobalValues) => Context;
}

export interface GlobalValues {
  readonly config: string | undefined;
  readonly verbose: boolean;
}

const globalGroup = 'Global options:';

/**
 * The program for these words. Only the command they name is loaded.
 *
 * @throws OciError USAGE from `parseAsync`, for whatever commander refuses.
 */
export async function createProgram(words: readonly string[], options: ProgramOptions): Promise<Program> {
  const program = new Program('ocictl');
  const word = commandWord(words);
  const entry = commandTable.find(({ name }) => name === word);
  const command = await entry?.load();
  configure(program, options, command, {
    hint: (problem) => (command && problem === 'commander.unknownOption' ? misplacedHint(command, words) : undefined),
  });
  program
    .description('Work with container registries without a daemon.')
    .usage('[options] COMMAND')
    // A command may give a global word a meaning of its own: `inspect --config` is the image's.
    .enablePositionalOptions()
    .optionsGroup(globalGroup)
    .version(options.version, '-V, --version', 'Show the version')
    .helpCommand(false)
    .addHelpText('after', '\nocictl help COMMAND tells what a command does and which options it takes.');
  addGlobals(program, []);
  for (const { name, summary, hidden } of commandTable) {
    if (name === command?.name) addCommand(program, command, options, hidden === true);
    else describe(program.command(name, { hidden: hidden === true }), summary);
  }
  addHelp(program);
  // Else `ocictl no-such-command --help` would be no failure.
  if (word !== undefined && word !== 'help' && !entry) program.helpOption(false);
  // With a handler here, commander would call an unknown command too many arguments.
  if (word === undefined) program.action(() => program.outputHelp());
  return program;
}

function addCommand(program: Program, command: Command, options: ProgramOptions, hidden: boolean): void {
  const sub = describe(program.command(command.name, { hidden }), command.summary);
  configure(sub, options, command);
  sub
    .description([`${command.summary}.`, ...paragraphsOf(command.description)].join('\n\n'))
    .usage(commandUsage(command).slice(command.name.length + 1));
  for (const { label, summary, arity } of command.arguments) {
    const name = arity === 'many' ? `${label}...` : label;
    sub.argument(arity === 'optional' ? `[${name}]` : `<${name}>`, summary);
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
  sub.addHelpText('after', examplesText(command));
  sub.action(async () => {
    const values = specs.map(({ key, spec, option }) => [key, spec.parse(wordsOf(sub, option))]);
    const globals = { ...program.opts() };
    for (const option of shared) Object.assign(globals, givenValue(sub, option));
    await command.run(
      { words: sub.args, options: Object.fromEntries(values) },
      options.context({ config: text(globals['config']), verbose: globals['verbose'] === true }),
    );
  });
}

function addHelp(program: Program): void {
  describe(program.command('help'), 'Show the help of a command')
    .argument('[COMMAND]', 'The command')
    .usage('[COMMAND]')
    // The same way as `ocictl COMMAND --help`, so that an unknown command is told the same way too.
    .action(async (name?: string) => {
      await program.parseAsync(name === undefined || name === 'help' ? ['--help'] : [name, '--help'], { from: 'user' });
    });
}

function addGlobals(program: Program, taken: readonly Option[]): readonly Option[] {
  const free = Object.values(globalOptions)
    .map(({ flags, summary }) => new Option(flags, summary))
    .filter(({ long, short }) => !taken.some((own) => own.long === long || (short && own.short === short)));
  for (const option of free) program.addOption(option);
  program.helpOption('-h, --help', 'Show help');
  return free;
}

function describe(program: Program, summary: string): Program {
  const group = groupOf(program.name());
  return (group === undefined ? program : program.helpGroup(group)).summary(summary).description(summary);
}

/** The first word that is neither an option nor the value of a global one; what `help` stands before, where it does. */
function commandWord(words: readonly string[]): string | undefined {
  const takesValue = Object.values(globalOptions).flatMap(({ flags }) =>
    flags.endsWith('>') ? [flags.split(' ')[0]] : [],
  );
  const bare = words.filter((word, at) => !word.startsWith('-') && !takesValue.includes(words[at - 1] ?? ''));
  return bare[0] === 'help' ? (bare[1] ?? 'help') : bare[0];
}

function wordsOf(program: Program, option: Option): readonly string[] {
  const value: unknown = program.getOptionValue(option.attributeName());
  if (Array.isArray(value)) return value.map(String);
  // commander files `--no-trunc` as `trunc: false`.
  return value === !option.negate ? [''] : [];
}

function givenValue(program: Program, option: Option): Readonly<Record<string, unknown>> {
  const name = option.attributeName();
  const value: unknown = program.getOptionValue(name);
  return value === undefined ? {} : { [name]: value };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

interface Hints {
  /** A better hint than the usual one for commander's code, where there is one. */
  readonly hint: (problem: string) => string | undefined;
}

// commander neither writes nor exits by itself: errors come back as ours.
function configure(program: Program, { out }: ProgramOptions, command: Command | undefined, hints?: Hints): void {
  program
    .configureOutput({ writeOut: out, writeErr: () => {} })
    .configureHelp(helpLayout)
    .showSuggestionAfterError(true)
    .exitOverride((error) => {
      if (error.exitCode === 0) throw error;
      throw usageError(error, program, command, hints);
    });
}

function usageError(error: CommanderError, program: Program, command: Command | undefined, hints?: Hints): OciError {
  const [message = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = rest
    .join(' ')
    .trim()
    .replace(/^\(Did (.*)\)$/, 'did $1');
  const options = (hint: string): OciErrorOptions => ({ hint, cause: error });
  const better = hints?.hint(error.code);
  if (better !== undefined) return new OciError('USAGE', message, options(better));
  if (suggestion !== '') return new OciError('USAGE', message, options(suggestion));
  const counts = error.code === 'commander.missingArgument' || error.code === 'commander.excessArguments';
  if (counts && command) return new OciError('USAGE', message, options(`usage: ocictl ${commandUsage(command)}`));
  const name = program.name() === 'ocictl' ? '' : `${program.name()} `;
  return new OciError('USAGE', message, options(`ocictl ${name}--help shows what there is`));
}

/** For `ocictl --quiet pull …`: a command's own options stand after its name. */
function misplacedHint(command: Command, words: readonly string[]): string | undefined {
  const before = words.slice(0, words.indexOf(command.name)).map((word) => word.split('=')[0]);
  const known = Object.values(command.options).flatMap(({ flags }) => flags.split(/[\s,]+/));
  const found = before.find((word) => word?.startsWith('-') && known.includes(word));
  return found === undefined ? undefined : `options of a command follow its name: ocictl ${command.name} ${found} …`;
}
