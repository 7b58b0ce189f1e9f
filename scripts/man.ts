/** Man pages, in man(7), made from the command data. */
import { type Command, readFlags } from '../src/commands/command-line/command.ts';
import { globalOptions } from '../src/commands/command-line/global-options.ts';
import { argumentUsage, paragraphsOf } from '../src/commands/command-line/help.ts';

export interface ManOptions {
  readonly version: string;
  /** `2026-11-01`: the release's date, so that pages change with a release and not with the calendar. */
  readonly date: string;
}

type Flags = Pick<Command['options'][string], 'flags' | 'summary'>;

const globals: readonly Flags[] = [...Object.values(globalOptions), { flags: '-h, --help', summary: 'Show help' }];

const exitStatuses: readonly (readonly [string, string])[] = [
  ['0', 'Done.'],
  ['1', 'A failure of no other kind.'],
  ['2', 'Usage: a flag, argument, reference or configuration file is wrong.'],
  ['3', 'Not found: manifest, repository, blob, platform or local image.'],
  ['4', 'Unauthorised or denied.'],
  ['5', 'Network, TLS, timeout, or a server that failed after all retries.'],
  ['6', 'Rate limited.'],
  ['7', 'Integrity: a digest or size that does not fit, or a malformed manifest.'],
  ['8', 'Some of many failed.'],
  ['9', 'Refused to overwrite or delete.'],
  ['10', 'Local storage: disk full, no permission, or a damaged store.'],
  ['11', 'No signature of the image counts.'],
  ['12', 'With --dry-run: something would change.'],
  ['129, 130, 143', 'Interrupted, by SIGHUP, by Ctrl-C or by SIGTERM.'],
];

const environment: readonly (readonly [string, string])[] = [
  ['OCICTL_ROOT', 'The local store. Default: $XDG_DATA_HOME/ocictl, else ~/.local/share/ocictl.'],
  ['DOCKER_CONFIG', 'Directory of config.json, which holds credentials and credential helpers. Default: ~/.docker.'],
  ['NO_COLOR', 'Where it is set, nothing is coloured.'],
  ['CI', 'Where it is set, progress is told in lines and nothing moves.'],
];

/** `ocictl-pull`, `ocictl-blob-get`. */
export function pageName({ name }: Pick<Command, 'name'>): string {
  return `ocictl-${name.replaceAll(' ', '-')}`;
}

/** The page of one command: `ocictl-pull.1`. */
export function commandPage(command: Command, commands: readonly Command[], options: ManOptions): string {
  const own = Object.values(command.options);
  const usage = [`\\fBocictl ${word(command.name)}\\fR`, ...(own.length > 0 ? ['[\\fIoptions\\fR]'] : [])];
  const synopsis = [...usage, ...command.arguments.map((argument) => text(argumentUsage(argument)))].join(' ');
  return page(pageName(command), options, [
    section('NAME', `${word(pageName(command))} \\- ${text(lowerFirst(command.summary))}`),
    section('SYNOPSIS', synopsis),
    section('DESCRIPTION', ...paragraphs([`${command.summary}.`, ...paragraphsOf(command.description)])),
    section(
      'ARGUMENTS',
      ...command.arguments.map(({ label, summary }) => term(`\\fI${text(label)}\\fR`, `${summary}.`)),
    ),
    section('OPTIONS', ...own.map(option)),
    section('GLOBAL OPTIONS', ...freeGlobals(own).map(option)),
    section('EXAMPLES', command.examples.map((one) => example(one.text, `ocictl ${one.command}`)).join('\n.PP\n')),
    section('EXIT STATUS', `0 when all was done; \\fBocictl\\fR(1) lists the others.`),
    section('SEE ALSO', seeAlso(['ocictl', ...relatives(command, commands)])),
  ]);
}

/** The page of the program: `ocictl.1`. */
export function programPage(commands: readonly Command[], options: ManOptions): string {
  const about =
    'ocictl works with container registries without a daemon: it pulls, pushes, copies and inspects OCI and Docker images, ' +
    'and keeps what it pulls in a local store. Credentials, certificates and mirrors are those that Docker uses.';
  const streams =
    'Results are on standard output; progress, warnings and errors are on standard error. Pull and push print the lines ' +
    'of Docker on standard output while they work; with --quiet or --json it is the result alone. A reader of standard ' +
    'output that goes away is no failure.';
  return page('ocictl', options, [
    section('NAME', 'ocictl \\- work with container registries without a daemon'),
    section('SYNOPSIS', '\\fBocictl\\fR [\\fIoptions\\fR] \\fICOMMAND\\fR [\\fIarguments\\fR]'),
    section('DESCRIPTION', ...paragraphs([about, streams])),
    section(
      'COMMANDS',
      ...commands.map((command) => term(`\\fB${word(pageName(command))}\\fR(1)`, `${command.summary}.`)),
    ),
    section('OPTIONS', ...[...globals, { flags: '-V, --version', summary: 'Show the version' }].map(option)),
    section(
      'EXIT STATUS',
      ...exitStatuses.map(([status, meaning]) => term(`\\fB${status}\\fR`, meaning)),
      `.PP\n${filled('With --json, a failure is also told as JSON in the last line of standard error.')}`,
    ),
    section('ENVIRONMENT', ...environment.map(([name, meaning]) => term(`\\fB${name}\\fR`, meaning))),
    section('SEE ALSO', seeAlso(commands.map(pageName))),
  ]);
}

/** Numbers of the EXIT STATUS section, for the test that compares them with the errors. */
export const documentedStatuses: readonly string[] = exitStatuses.flatMap(([status]) => status.split(', '));

function page(name: string, { version, date }: ManOptions, sections: readonly string[]): string {
  const title = `.TH "${word(name.toUpperCase())}" "1" "${date}" "ocictl ${version}" "ocictl manual"`;
  const note = '.\\" Made from the commands by scripts/generate.mjs: do not edit.';
  return `${[note, title, ...sections.filter((part) => part !== '')].join('\n')}\n`;
}

/** Nothing where there is nothing in it. */
function section(title: string, ...parts: readonly string[]): string {
  const body = parts.join('\n');
  return body === '' ? '' : `.SH ${title}\n${body}`;
}

function paragraphs(list: readonly string[]): readonly string[] {
  return list.map((paragraph, at) => {
    const body = /^\s/.test(paragraph) ? `.nf\n${text(paragraph)}\n.fi` : filled(paragraph);
    return at === 0 ? body : `.PP\n${body}`;
  });
}

function term(head: string, body: string): string {
  return `.TP\n${head}\n${filled(body)}`;
}

function option({ flags, summary }: Flags): string {
  const { short, long, label } = readFlags(flags);
  const names = [short, long].flatMap((name) => (name === undefined ? [] : [`\\fB${word(name)}\\fR`])).join(', ');
  return term(label === undefined ? names : `${names} \\fI${text(label)}\\fR`, `${summary}.`);
}

function example(what: string, line: string): string {
  return `${text(what)}:\n.PP\n.RS 4\n.nf\n\\fB${word(line)}\\fR\n.fi\n.RE`;
}

function freeGlobals(own: readonly Flags[]): readonly Flags[] {
  const taken = own.map(({ flags }) => readFlags(flags).long);
  return globals.filter(({ flags }) => !taken.includes(readFlags(flags).long));
}

/** Commands that this one's text speaks of. */
function relatives(command: Command, commands: readonly Command[]): readonly string[] {
  const said = [command.description, ...command.examples.map((one) => one.command)].join('\n');
  return commands
    .filter(({ name }) => name !== command.name && new RegExp(`ocictl ${name}\\b`).test(said))
    .map(pageName);
}

function seeAlso(names: readonly string[]): string {
  return [...names]
    .sort()
    .map((name) => `.BR ${word(name)} (1)`)
    .join(' ,\n');
}

function lowerFirst(summary: string): string {
  return summary.charAt(0).toLowerCase() + summary.slice(1);
}

/** Text of which every character means itself, hyphens being hyphens. */
function text(plain: string): string {
  return [...plain.replaceAll('\\', '\\e')]
    .map((character) => (character > '~' ? `\\[u${hexOf(character)}]` : character))
    .join('')
    .replace(/(^|\s)(--?)(?=[a-z])/g, (_, blank: string, dashes: string) => blank + dashes.replaceAll('-', '\\-'))
    .replace(/^([.'])/gm, '\\&$1');
}

/** Running text, a sentence to a line and no line too long, as man page sources are written. */
function filled(plain: string): string {
  const lines = plain.replace(/([.:]) (?=[A-Z])/g, '$1\n').split('\n');
  return lines.map((line) => text(line.replace(/(?=.{79})(.{1,76}) /g, '$1\n'))).join('\n');
}

/** What is typed: every '-' is a minus, so that it can be copied out of the page. */
function word(typed: string): string {
  return text(typed).replaceAll(/(?<!\\)-/g, '\\-');
}

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
