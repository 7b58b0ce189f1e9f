import { lastWord } from '../command-line/families.ts';
import type {
  Completable,
  CompletableArgument,
  CompletableCommand,
  CompletableFamily,
  CompletableOption,
  Completes,
} from './completable.ts';

/** The completion function for zsh: a file for `$fpath`, which can also be sourced after `compinit`. */
export function zshCompletion({ options, families, commands }: Completable): string {
  return `#compdef ocictl
# zsh completion for ocictl, made from its commands: do not edit.

_ocictl() {
  local curcontext=$curcontext state state_descr line ret=1
  typeset -A opt_args
  _arguments -C -s -S \\
${options.map((option) => `    ${optionSpec(option)} \\\n`).join('')}    ': :_ocictl_commands' \\
    '*:: :->arguments' && ret=0
  [[ $state == arguments ]] || return ret
  curcontext=\${curcontext%:*:*}:ocictl-$words[1]:
  case $words[1] in
${[...commands.map(commandCase), ...families.map(familyCase)].join('\n')}
  esac
  return ret
}

_ocictl_commands() {
  local -a commands=(
${[...commands, ...families].map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`).join('\n')}
  )
  _describe -t commands 'ocictl command' commands
}

_ocictl_images() {
  # The words of _call_program are evaluated.
  local -a images=(\${(f)"$(_call_program images ocictl __complete images \${(q)PREFIX} 2>/dev/null)"})
  local expl
  _wanted images expl 'image' compadd -a images
}

_ocictl_stored() {
  local -a images=(\${(f)"$(_call_program images ocictl __complete images 2>/dev/null)"})
  local expl
  _wanted images expl 'local image' compadd -a images
}

if [[ $funcstack[1] == _ocictl ]]; then
  _ocictl "$@"
else
  compdef _ocictl ocictl
fi
`;
}

/** The words behind the first are completed as those of a program of its own. */
function familyCase({ name, options, members }: CompletableFamily): string {
  const words = members.map((member) => lastWord(member.name)).join(' ');
  const specs = [...options.map(optionSpec), `': :(${words})'`, `'*:: :->member'`];
  const cases = members.map((member) => commandCase({ ...member, name: lastWord(member.name) }));
  return `    ${name})
      _arguments -C -s -S \\
${specs.map((spec) => `        ${spec}`).join(' \\\n')} && ret=0
      [[ $state == member ]] || return ret
      curcontext=\${curcontext%:*:*}:ocictl-${name}-$words[1]:
      case $words[1] in
${cases.join('\n')}
      esac
      ;;`;
}

function commandCase({ name, options, arguments: list }: CompletableCommand): string {
  const specs = [...options.map(optionSpec), ...list.map(argumentSpec)].map((spec) => `        ${spec}`);
  const call = specs.length === 0 ? '' : `      _arguments -s -S \\\n${specs.join(' \\\n')} && ret=0\n`;
  return `    ${name})\n${call}      ;;`;
}

function optionSpec({ short, long, summary, repeats, value }: CompletableOption): string {
  const names = short === undefined ? [long] : [short, long];
  const explained = `[${summary.replaceAll(/[\\[\]]/g, '\\$&')}]`;
  const taken = value ? `:${message(value.label)}:${action(value.completes)}` : '';
  // '=' also allows the next word; '+' also allows the same one.
  const spelled = value ? names.map((name) => `${name}${name.startsWith('--') ? '=' : '+'}`) : names;
  const apart = repeats ? "'*'" : quote(long === '--help' || long === '--version' ? '(- : *)' : `(${names.join(' ')})`);
  const both = spelled.length === 1 ? spelled[0] : `{${spelled.join(',')}}`;
  return `${apart}${both}${quote(`${explained}${taken}`)}`;
}

function argumentSpec({ label, arity, completes }: CompletableArgument): string {
  const start = { one: ':', optional: '::', many: '*:', any: '*::' }[arity];
  return quote(`${start}${message(label)}:${action(completes)}`);
}

function action(completes: Completes): string {
  switch (completes.kind) {
    case 'words':
      return `(${completes.words.join(' ')})`;
    case 'list':
      return `_sequence compadd - ${completes.words.join(' ')}`;
    case 'image':
      return '_ocictl_images';
    case 'stored':
      return '_ocictl_stored';
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'nothing':
      return ' ';
  }
}

function message(label: string): string {
  return label.replaceAll(/[\\:]/g, '\\$&');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
