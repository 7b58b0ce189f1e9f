import { lastWord } from '../command-line/families.ts';
import type {
  Completable,
  CompletableArgument,
  CompletableCommand,
  CompletableFamily,
  CompletableOption,
  Completes,
} from './completable.ts';

/** The completion script for fish 3 and newer. */
export function fishCompletion({ options, families, commands: plain }: Completable): string {
  const commands = [...plain, ...families.flatMap(({ members }) => members)];
  const all = [{ name: '', options }, ...families, ...commands];
  return `# fish completion for ocictl, made from its commands: do not edit.

# Prints the command that is typed and how many arguments stand after it: \`pull 0\`. No command yet: \`'' 0\`.
function __ocictl_place
    set -l words (commandline -opc)
    set -l command ''
    set -l count 0
    set -l waiting no
    set -l ended no
    for word in $words[2..-1]
        if test $waiting = yes
            set waiting no
        else if test $ended = no -a "$word" = --
            set ended yes
        else if test $ended = no; and string match -q -- '-?*' $word
            contains -- "$command $word" $__ocictl_taking; and set waiting yes
        else if test -z "$command"
            set command $word
        else if contains -- $command ${families.map(({ name }) => name).join(' ')}
            set command "$command $word"
        else
            set count (math $count + 1)
        end
    end
    printf '%s\\n' "$command" $count
end

function __ocictl_at -a command count
    set -l place (__ocictl_place)
    test "$place[1]" = "$command"; or return 1
    test -z "$count" -o "$place[2]" = "$count"
end

# The words after the commas that were typed.
function __ocictl_list
    set -l typed (commandline -ct | string replace -r -- '^--[^=]*=' '' | string replace -r -- '[^,]*$' '')
    printf '%s\\n' $typed$argv
end

function __ocictl_images
    command ocictl __complete images (commandline -ct) 2>/dev/null
end

function __ocictl_stored
    command ocictl __complete images 2>/dev/null
end

# Options that take the next word, behind their command.
set -g __ocictl_taking ${all.flatMap(({ name, options: own }) => own.flatMap((option) => taking(name, option))).join(' ')}

complete -c ocictl -e
complete -c ocictl -f
${[
  ...options.map((option) => optionLine('', option)),
  ...[...plain, ...families].map(({ name, summary }) => line('', `-a ${name} -d ${quote(summary)}`)),
  ...families.flatMap(familyLines),
  ...commands.flatMap(commandLines),
].join('\n')}
`;
}

function commandLines({ name, options, arguments: list }: CompletableCommand): readonly string[] {
  return [
    ...options.map((option) => optionLine(name, option)),
    ...list.flatMap((argument, at) => argumentLine(name, argument, at)),
  ];
}

function familyLines({ name, options, members }: CompletableFamily): readonly string[] {
  return [
    ...options.map((option) => optionLine(name, option)),
    ...members.map((member) => line(name, `-a ${lastWord(member.name)} -d ${quote(member.summary)}`)),
  ];
}

function taking(command: string, { short, long, value }: CompletableOption): readonly string[] {
  if (!value) return [];
  return (short === undefined ? [long] : [short, long]).map((name) => quote(`${command} ${name}`));
}

function optionLine(command: string, { short, long, summary, value }: CompletableOption): string {
  const names = [...(short === undefined ? [] : [`-s ${short.slice(1)}`]), `-l ${long.slice(2)}`];
  return line(command, [...names, ...(value ? ['-r', offer(value.completes)] : []), `-d ${quote(summary)}`].join(' '));
}

function argumentLine(command: string, { arity, completes }: CompletableArgument, at: number): readonly string[] {
  if (completes.kind === 'nothing') return [];
  return [line(command, offer(completes), arity === 'many' || arity === 'any' ? '' : ` ${at}`)];
}

function line(command: string, rest: string, position = ''): string {
  const named = command === '' || command.includes(' ') ? `'${command}'` : command;
  return `complete -c ocictl -n ${quote(`__ocictl_at ${named}${position}`)} ${rest}`;
}

function offer(completes: Completes): string {
  switch (completes.kind) {
    case 'words':
      return `-f -a ${quote(completes.words.join(' '))}`;
    case 'list':
      return `-f -a ${quote(`(__ocictl_list ${completes.words.join(' ')})`)}`;
    case 'image':
      return `-f -a ${quote('(__ocictl_images)')} -d 'Image'`;
    case 'stored':
      return `-f -a ${quote('(__ocictl_stored)')} -d 'Local image'`;
    case 'file':
      return '-F';
    case 'directory':
      return `-f -a ${quote('(__fish_complete_directories (commandline -ct))')}`;
    case 'nothing':
      return '-f';
  }
}

function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
