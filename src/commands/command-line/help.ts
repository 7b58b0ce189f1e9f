/** The layout of help: commander's formatter with our usage lines, groups and widths. */
import type { Help, HelpConfiguration } from 'commander';
import type { ArgumentSpec, Command } from './command.ts';

/** Longer lines are hard to read, however wide the terminal is. */
const maxColumns = 100;
/** No layout is for less. */
const minColumns = 40;
/** With less room beside its term, a text stands below it. */
const leastBeside = 30;

/** The headings of `ocictl --help`, with the commands under each. A test checks that every command is listed here. */
const commandGroups: Readonly<Record<string, readonly string[]>> = {
  'Images:': [
    'pull',
    'push',
    'copy',
    'sync',
    'save',
    'load',
    'tag',
    'images',
    'rmi',
    'prune',
    'df',
    'scrub',
    'inspect',
    'digest',
    'files',
    'cat',
    'export',
    'extract',
    'diff',
    'history',
  ],
  'Registries:': [
    'login',
    'logout',
    'whoami',
    'with-login',
    'auth',
    'search',
    'repos',
    'tags',
    'delete',
    'manifest',
    'index',
    'blob',
    'serve',
    'storage',
  ],
  'Changing images:': ['append', 'mutate', 'flatten', 'squash', 'rebase', 'check-base', 'validate'],
  'Artifacts:': ['artifact', 'attach', 'discover', 'sbom'],
  'Trust:': ['sign', 'verify', 'attest', 'verify-attestation', 'key'],
  'This program:': ['doctor', 'config', 'completion', 'version', 'help'],
};

/** The heading of a command or its family in `ocictl --help`; undefined if it has none. */
export function groupOf(name: string): string | undefined {
  const [first = ''] = name.split(' ');
  return Object.entries(commandGroups).find(([, names]) => names.includes(first))?.[0];
}

/** `NAME`, `[NAME]`, `NAME...` or `[NAME...]`, as in Docker; `-- NAME...` for another program's arguments. */
export function argumentUsage({ label, arity, foreign }: ArgumentSpec): string {
  if (arity === 'many') return `${foreign ? '-- ' : ''}${label}...`;
  if (arity === 'any') return `[${label}...]`;
  return arity === 'optional' ? `[${label}]` : label;
}

/** The words of a command's usage line after `ocictl`. */
export function commandUsage({ name, arguments: list, options }: Command): string {
  const words = Object.keys(options).length > 0 ? [name, '[options]'] : [name];
  return [...words, ...list.map(argumentUsage)].join(' ');
}

/** Splits a description into paragraphs, each joined to one line; those that begin with white space are kept unchanged. */
export function paragraphsOf(description: string): readonly string[] {
  return description
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.trim() !== '')
    .map((paragraph) => (/^\s/.test(paragraph) ? paragraph : paragraph.replace(/\s*\n\s*/g, ' ').trim()));
}

/** The text below the options: example commands and their purposes. */
export function examplesText({ examples }: Command): string {
  const lines = examples.map(({ text, command }) => `  # ${text}\n  ocictl ${command}`);
  return lines.length === 0 ? '' : `\nExamples:\n${lines.join('\n\n')}`;
}

/** For commander's `configureHelp`. */
export const helpLayout: HelpConfiguration & ThisType<Help> = {
  prepareContext({ helpWidth }) {
    this.helpWidth = Math.min(Math.max(helpWidth || 80, minColumns), maxColumns);
    this.minWidthToWrap = 20;
  },
  formatItem(term, termWidth, text, helper) {
    const columns = this.helpWidth ?? maxColumns;
    const beside = columns - termWidth - 4;
    const indent = beside < leastBeside ? 8 : termWidth + 4;
    const lines = text === '' ? [] : helper.boxWrap(text, columns - indent).split('\n');
    const shown = lines.map((line) => ' '.repeat(indent) + line);
    if (beside < leastBeside) return [`  ${term}`, ...shown].join('\n');
    return `  ${term.padEnd(termWidth)}  ${shown.join('\n').trimStart()}`.trimEnd();
  },
  // Commander's own order would put the options before the commands.
  formatHelp(program, helper) {
    const width = helper.padWidth(program, helper);
    const row = (term: string, text: string): string => helper.formatItem(term, width, text, helper);
    const commands = helper.groupItems([], helper.visibleCommands(program), (sub) => sub.helpGroup() || 'Commands:');
    const options = helper.groupItems([], helper.visibleOptions(program), (own) => own.helpGroupHeading ?? 'Options:');
    const sections = [
      [helper.boxWrap(`Usage: ${helper.commandUsage(program)}`, this.helpWidth ?? maxColumns)],
      [helper.boxWrap(paragraphsOf(helper.commandDescription(program)).join('\n\n'), this.helpWidth ?? maxColumns)],
      titled(
        'Arguments:',
        helper.visibleArguments(program).map((own) => row(own.name(), own.description)),
      ),
      ...[...commands].map(([title, subs]) => [title, ...subs.map((sub) => row(sub.name(), sub.summary()))]),
      ...[...options].map(([title, list]) => [
        title,
        ...list.map((own) => row(helper.optionTerm(own), own.description)),
      ]),
    ];
    if (program.parent === null) sections.push([helper.boxWrap(more, this.helpWidth ?? maxColumns)]);
    return sections
      .filter((lines) => lines.length > 0)
      .map((lines) => `${lines.join('\n')}\n`)
      .join('\n');
  },
  subcommandTerm: (command) => command.name(),
  // Align long flags in one column, with or without a short one.
  optionTerm: ({ flags, short }) => (short === undefined ? `    ${flags}` : flags),
};

const more =
  'ocictl help COMMAND tells what a command does and which options it takes.\n' +
  'The exit status says what kind of failure it was: man ocictl, or docs/exit-codes.md.';

function titled(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}
