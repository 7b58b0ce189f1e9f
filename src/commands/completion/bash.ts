import { lastWord } from '../command-line/families.ts';
import type {
  Completable,
  CompletableCommand,
  CompletableFamily,
  CompletableOption,
  Completes,
} from './completable.ts';

/** The completion script for bash 4 and newer, with or without the bash-completion package. */
export function bashCompletion({ options, families, commands: plain }: Completable): string {
  const commands = [...plain, ...families.map(familyCommand), ...families.flatMap(({ members }) => members)];
  const all = [{ name: '', options, arguments: [] }, ...commands];
  return `# bash completion for ocictl, made from its commands: do not edit.

# Sets \`takes\` to what the option $2 of the command $1 takes; fails for a switch.
_ocictl_takes() {
  case "$1 $2" in
${cases(all.flatMap(({ name, options: own }) => own.flatMap((option) => valueCases(name, option))))}
    *) return 1 ;;
  esac
}

# Sets \`takes\` to what the argument $2 of the command $1 is, the first being 1.
_ocictl_argument() {
  case "$1 $2" in
${cases(commands.flatMap(argumentCases))}
    *) takes= ;;
  esac
}

# Sets \`options\` to the options of the command $1.
_ocictl_options() {
  case $1 in
${all.map(({ name, options: own }) => `    ${quote(name)}) options=${quote(own.flatMap(namesOf).join(' '))} ;;`).join('\n')}
    *) options= ;;
  esac
}

${engine(
  [...plain, ...families].map(({ name }) => name),
  families.map(({ name }) => name),
)}`;
}

/** A family is a command until its second word is there, which is then its argument. */
function familyCommand({ name, summary, options, members }: CompletableFamily): CompletableCommand {
  const words = members.map((member) => lastWord(member.name));
  return {
    name,
    summary,
    options,
    arguments: [{ label: 'COMMAND', arity: 'one', completes: { kind: 'words', words } }],
  };
}

interface Case {
  readonly pattern: string;
  readonly takes: string;
}

function valueCases(command: string, option: CompletableOption): readonly Case[] {
  if (!option.value) return [];
  const takes = takesOf(option.value.completes);
  return namesOf(option).map((name) => ({ pattern: quote(`${command} ${name}`), takes }));
}

function argumentCases({ name, arguments: list }: CompletableCommand): readonly Case[] {
  return list.flatMap(({ arity, completes }, at) => {
    const takes = takesOf(completes);
    if (takes === '') return [];
    return [
      { pattern: arity === 'many' || arity === 'any' ? `${quote(`${name} `)}*` : quote(`${name} ${at + 1}`), takes },
    ];
  });
}

function takesOf(completes: Completes): string {
  if ('words' in completes) return `${completes.kind} ${completes.words.join(' ')}`;
  return completes.kind === 'nothing' ? '' : completes.kind;
}

/** One line for all patterns that take the same values. */
function cases(list: readonly Case[]): string {
  const lines = [...new Set(list.map(({ takes }) => takes))].map((takes) => {
    const patterns = list.filter((one) => one.takes === takes).map(({ pattern }) => pattern);
    return `    ${patterns.join(' | ')}) takes=${quote(takes)} ;;`;
  });
  return lines.join('\n');
}

function namesOf({ short, long }: CompletableOption): readonly string[] {
  return short === undefined ? [long] : [short, long];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const engine = (commands: readonly string[], families: readonly string[]): string => `_ocictl() {
  local rest=\${COMP_LINE:0:COMP_POINT} blank word i count=0
  local -a words=()
  # Bash breaks words at ':', '=' and '@', which are parts of an image's name: they are put together again.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    blank=\${rest%%[![:space:]]*}
    rest=\${rest#"$blank"}
    word=\${COMP_WORDS[i]}
    ((i == COMP_CWORD)) && word=$rest
    rest=\${rest#"$word"}
    if [[ -z $blank && $count -gt 0 ]]; then
      words[count - 1]+=$word
    else
      words[count++]=$word
    fi
  done

  local current=\${words[count - 1]} previous= command= takes= options= position=1 waiting= ended=
  for ((i = 1; i < count - 1; i++)); do
    word=\${words[i]}
    previous=$word
    if [[ -n $waiting ]]; then
      waiting=
    elif [[ -z $ended && $word == -- ]]; then
      ended=1
    elif [[ -z $ended && $word == -?* ]]; then
      _ocictl_takes "$command" "$word" && waiting=1
    elif [[ -z $command ]]; then
      command=$word
    elif [[ ${quote(` ${families.join(' ')} `)} == *" $command "* ]]; then
      command+=" $word"
    else
      ((position++))
    fi
  done

  # What comes before the text that is completed, and that text.
  local head= text=$current
  if [[ $current == *[\\<\\>]* ]]; then
    takes=file head=\${current%"\${current##*[<>]}"} text=\${current##*[<>]}
  elif [[ $previous == *[\\<\\>] ]]; then
    takes=file
  elif [[ -n $waiting ]]; then
    _ocictl_takes "$command" "$previous"
  elif [[ -z $ended && $current == --*=* ]]; then
    _ocictl_takes "$command" "\${current%%=*}" || return 0
    head=\${current%%=*}= text=\${current#*=}
  elif [[ -z $ended && $current == -* ]]; then
    _ocictl_options "$command"
    takes="words $options"
  elif [[ -z $command ]]; then
    takes=${quote(`words ${commands.join(' ')}`)}
  else
    _ocictl_argument "$command" "$position"
  fi
  # As it will be without quotes: names of files are compared as they are on the disk.
  text=\${text#[\\"\\']} text=\${text//\\\\/}
  if [[ $takes == list* && $text == *,* ]]; then
    head+=\${text%,*}, text=\${text##*,}
  fi

  # Readline puts the reply in place of what follows the last break in the word.
  local breaks=\${COMP_WORDBREAKS//[[:space:]\\"\\']/} kept=$current reply
  while [[ -n $kept && $breaks != *"\${kept: -1}"* ]]; do kept=\${kept%?}; done
  COMPREPLY=()
  while IFS= read -r word; do
    # Compared here, since \`compgen -W\` would run what a name in a hostile store has in it.
    [[ -n $word && $word == "$text"* ]] || continue
    reply=$head$word
    COMPREPLY+=("\${reply#"$kept"}")
  done < <(_ocictl_words "$takes" "$text")
  [[ $takes == file || $takes == directory ]] && compopt -o filenames 2>/dev/null
  return 0
}

# Prints what a place can hold, one in a line.
_ocictl_words() {
  case $1 in
    'words '* | 'list '*) printf '%s\\n' \${1#* } ;;
    image) ocictl __complete images "$2" 2>/dev/null ;;
    stored) ocictl __complete images 2>/dev/null ;;
    file) compgen -f -- "$2" ;;
    directory) compgen -d -- "$2" ;;
  esac
}

complete -F _ocictl ocictl
`;
