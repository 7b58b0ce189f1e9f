/** `docs/commands.md`: every command with its options and examples, in Markdown, made from the command data. */
import { type Command, readFlags } from '../src/commands/command-line/command.ts';
import { globalOptions } from '../src/commands/command-line/global-options.ts';
import { commandUsage, groupOf, paragraphsOf } from '../src/commands/command-line/help.ts';

/** The page. The commands keep the order and the groups of `ocictl --help`. */
export function commandReference(commands: readonly Command[]): string {
  const groups = [...new Set(commands.map(({ name }) => groupOf(name)))].filter((group) => group !== undefined);
  const contents = groups.map((group) => {
    const links = commands
      .filter(({ name }) => groupOf(name) === group)
      .map(({ name }) => `[${name}](#${name.replaceAll(' ', '-')})`);
    return `- ${group} ${links.join(', ')}`;
  });
  const sections = [
    '<!-- Made from the commands by `npm run generate`: do not edit. -->',
    '# Commands',
    '`ocictl COMMAND --help` prints the same, `man ocictl-COMMAND` too. [Exit statuses](exit-codes.md) are the same for all.',
    contents.join('\n'),
    ...commands.flatMap(sectionOf),
    '## Options of every command',
    optionTable(Object.values(globalOptions)),
  ];
  return `${sections.filter((part) => part !== '').join('\n\n')}\n`;
}

function sectionOf(command: Command): readonly string[] {
  const { name, summary, description, options, examples } = command;
  const lines = examples.flatMap(({ text, command: words }) => [`# ${text}`, `ocictl ${words}`, '']);
  return [
    `## ${name}`,
    `${escaped(summary)}.`,
    fenced('', `ocictl ${commandUsage(command)}`),
    ...paragraphsOf(description).map((text) => (/^\s/.test(text) ? fenced('', text) : escaped(text))),
    optionTable(Object.values(options)),
    lines.length === 0 ? '' : fenced('sh', lines.slice(0, -1).join('\n')),
  ];
}

function optionTable(list: readonly { readonly flags: string; readonly summary: string }[]): string {
  if (list.length === 0) return '';
  const rows = list.map(({ flags, summary }) => {
    const { short, long, label } = readFlags(flags);
    const names = [short, long].filter((name) => name !== undefined).map((name) => `\`${name}\``);
    return `| ${names.join(', ')}${label === undefined ? '' : ` ${escaped(label)}`} | ${escaped(summary)} |`;
  });
  return ['| option | |', '|---|---|', ...rows].join('\n');
}

function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}

/** Text of which no character begins markup. */
function escaped(text: string): string {
  return text.replaceAll(/[|*_<>[\]\\`]/g, '\\$&');
}
