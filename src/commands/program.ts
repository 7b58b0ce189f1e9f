/** Builds commander's program out of the command data: all commands by name, one of them whole. */
import { Command as Program } from 'commander';
import type { Context } from '../app.ts';
import { OciError } from '../model/errors.ts';
import type { Command, OptionSpec } from './command.ts';
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

/**
 * The program for these words. Only the command they name is loaded.
 *
 * @throws OciError USAGE from `parseAsync`, for whatever commander refuses.
 */
export async function createProgram(words: readonly string[], options: ProgramOptions): Promise<Program> {
  const program = new Program('ocictl');
  quiet(program, options);
  program
    .description('Work with container registries without a daemon.')
    .usage('COMMAND [options]')
    .version(options.version, '-V, --version', 'Show the version')
    .helpOption('-h, --help', 'Show help')
    .helpCommand('help [command]', 'Show the help of a command')
    .enablePositionalOptions(false)
    .showSuggestionAfterError(true);
  addGlobals(program);
  const named = commandTable.find(({ name }) => words.includes(name))?.name;
  for (const entry of commandTable) {
    if (entry.name === named) addCommand(program, await entry.load(), options);
    else
      program
        .command(entry.name, { hidden: false })
        .description(entry.summary)
        .allowUnknownOption()
        .action(() => {});
  }
  program.action(() => {
    program.help();
  });
  return program;
}

function addCommand(program: Program, command: Command, options: ProgramOptions): void {
  const sub = program.command(command.name).description(`${command.summary}.\n\n${command.description}`);
  quiet(sub, options);
  sub.summary(command.summary).helpOption('-h, --help', 'Show help').showSuggestionAfterError(true);
  for (const { label, summary, arity } of command.arguments) {
    const name = arity === 'many' ? `${label}...` : label;
    sub.argument(arity === 'optional' ? `[${name}]` : `<${name}>`, summary);
  }
  for (const spec of Object.values(command.options)) addOption(sub, spec);
  addGlobals(sub);
  if (command.examples.length > 0) {
    const lines = command.examples.map(({ text, command: words }) => `  # ${text}\n  ocictl ${words}`);
    sub.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
  }
  sub.action(async () => {
    const given: Record<string, unknown> = sub.optsWithGlobals();
    const parsed = Object.entries(command.options).map(([key, spec]) => [key, spec.parse(wordsOf(given, spec))]);
    const globals = { config: text(given['config']), verbose: given['verbose'] === true };
    await command.run({ words: sub.args, options: Object.fromEntries(parsed) }, options.context(globals));
  });
}

function addGlobals(program: Program): void {
  for (const { flags, summary } of Object.values(globalOptions)) program.option(flags, summary);
}

function addOption(program: Program, spec: OptionSpec<unknown>): void {
  if (spec.takes === 'nothing') program.option(spec.flags, spec.summary);
  else program.option(spec.flags, spec.summary, (word: string, words: string[] = []) => [...words, word]);
}

function wordsOf(given: Record<string, unknown>, spec: OptionSpec<unknown>): readonly string[] {
  const name = attributeName(spec.flags);
  // commander files `--no-trunc` as `trunc: false`.
  if (name.startsWith('no')) return given[name.charAt(2).toLowerCase() + name.slice(3)] === false ? [''] : [];
  const value = given[name];
  if (Array.isArray(value)) return value.map(String);
  return value === true ? [''] : [];
}

function attributeName(flags: string): string {
  const long = /--([a-z-]+)/.exec(flags)?.[1] ?? '';
  return long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

// commander neither writes nor exits by itself: errors come back as ours.
function quiet(program: Program, { out }: ProgramOptions): void {
  program.configureOutput({ writeOut: out, writeErr: () => {} });
  program.exitOverride((error) => {
    if (error.exitCode === 0) throw error;
    const [message = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
    const suggestion = rest
      .join(' ')
      .trim()
      .replace(/^\((.*)\)$/, '$1');
    throw new OciError('USAGE', message, {
      hint:
        suggestion === ''
          ? `ocictl ${program.name() === 'ocictl' ? '' : `${program.name()} `}--help shows what there is`
          : suggestion,
    });
  });
}
