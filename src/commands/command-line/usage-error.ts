/** Turns an error of commander into ours, with a hint. */
import type { CommanderError, Command as Program } from 'commander';
import { OciError } from '../../model/errors.ts';
import type { Command } from './command.ts';
import { commandUsage } from './help.ts';
import { suggestAction, suggestCommand, suggestOption } from './suggest.ts';

export interface Refused {
  readonly error: CommanderError;
  /** Where it was refused: the program itself, or a command of it. */
  readonly program: Program;
  /** The command that the words name, if there is one. */
  readonly command: Command | undefined;
  readonly words: readonly string[];
  /** The names of all commands, or of all in the family. */
  readonly commands: readonly string[];
}

export function usageError(refused: Refused): OciError {
  const { error } = refused;
  // Leave out the value of an unknown option: it may be a password.
  const message = error.message
    .replace(/^error: /, '')
    .replace(/\n.*/s, '')
    .replace(/^(unknown option '[^=']*)=.*/s, "$1'");
  return new OciError('USAGE', message, { hint: hintFor(refused), cause: error });
}

function hintFor({ error, program, command, words, commands }: Refused): string {
  const [, word = ''] = /'([^']*)'/.exec(error.message) ?? [];
  const whole = program.parent === null;
  // In a family, the word after its name was refused.
  const inFamily = !whole && !command;
  const operands = wordsFrom(inFamily ? program.name() : (command?.name.split(' ').at(-1) ?? word), words);
  const action = suggestAction(operands, commands);
  if ((command || inFamily) && action !== undefined) return action;
  if (error.code === 'commander.unknownOption') {
    const known = program.createHelp().visibleOptions(program);
    const flags = known.flatMap(({ long, short }) => [long ?? [], short ?? []].flat());
    const isForeign = command?.arguments.some(({ foreign }) => foreign) === true && !words.includes('--');
    // A short option is then one of the program that is to run.
    const isTheirs = isForeign && !word.startsWith('--');
    const hint = (whole && command && misplacedHint(command, words)) || (!isTheirs && suggestOption(word, flags));
    if (hint) return hint;
    if (command && !whole && isForeign) return `the command to run comes after --: ocictl ${commandUsage(command)}`;
  }
  if (error.code === 'commander.unknownCommand') {
    const hint = suggestCommand(inFamily ? [word] : operands, commands);
    if (hint !== undefined) return hint;
  }
  const counts = error.code === 'commander.missingArgument' || error.code === 'commander.excessArguments';
  if (counts && command && !whole) {
    const missing =
      error.code === 'commander.missingArgument' ? command.arguments.find(({ label }) => label === word) : undefined;
    const choose = missing?.choices ? `choose ${missing.choices.join(', ')}; ` : '';
    return `${choose}usage: ocictl ${commandUsage(command)}`;
  }
  return `${pathOf(program)} --help shows what there is`;
}

/** `ocictl`, and the words of the command or family. */
function pathOf(program: Program): string {
  return program.parent === null ? 'ocictl' : `${pathOf(program.parent)} ${program.name()}`;
}

/** A word and what follows it, without options. */
function wordsFrom(word: string, words: readonly string[]): readonly string[] {
  const from = words.indexOf(word);
  return from < 0 ? [word] : words.slice(from).filter((each) => !each.startsWith('-'));
}

/** For `ocictl --quiet pull …`: options of a command must follow its name. */
function misplacedHint(command: Command, words: readonly string[]): string | undefined {
  const [first = ''] = command.name.split(' ');
  const before = words.slice(0, words.indexOf(first)).map((word) => word.split('=')[0]);
  const known = Object.values(command.options).flatMap(({ flags }) => flags.split(/[\s,]+/));
  const found = before.find((word) => word?.startsWith('-') && known.includes(word));
  return found === undefined ? undefined : `options of a command follow its name: ocictl ${command.name} ${found} …`;
}
