import type { Context, ShownValue } from '../app/context.ts';
import { OciError } from '../model/errors.ts';
import { quote, visible } from '../model/quote.ts';
import { formatFittingTable } from '../terminal/format.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand } from './command-line/command.ts';
import { jsonOption } from './command-line/options.ts';

const actions: Readonly<Record<string, (context: Context, json: boolean) => Promise<void>>> = { show, path };

export const config = defineCommand({
  name: 'config',
  summary: 'Show the settings, or the files they are read from',
  description:
    'show prints every setting that is in effect, with the flag, variable, or file and line that it comes from. It prints\n' +
    'no secrets: of stored logins only the hosts, of headers the names, of proxies the address without user and password.\n\n' +
    'path prints the files and directories where settings are looked for, and whether they are read.',
  arguments: [{ label: 'ACTION', summary: 'show or path', arity: 'one', choices: Object.keys(actions) }],
  options: { json: jsonOption },
  examples: [
    { text: 'What is in effect, and from where', command: 'config show' },
    { text: 'The files', command: 'config path' },
  ],
  async run({ words: [action = ''], options }, context) {
    const run = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (run) return run(context, options.json);
    const isImage = /[/:@.]/.test(action);
    throw new OciError('USAGE', `config has no action ${quote(action)}`, {
      hint: isImage
        ? `ocictl inspect --config ${visible(action)} prints the config of an image`
        : `there is ${Object.keys(actions).join(' and ')}; ocictl inspect --config prints the config of an image`,
    });
  },
});

async function show({ terminal, describeSettings }: Context, json: boolean): Promise<void> {
  const settings = await describeSettings();
  if (json) {
    const entries = settings.map(({ key, list, values }) => {
      const shown = values.map(({ value, origin }) => ({ value, origin }));
      return [key, list ? shown : (shown[0] ?? null)] as const;
    });
    return terminal.out(`${formatJson(Object.fromEntries(entries))}\n`);
  }
  const rows = settings.flatMap(({ key, values }) =>
    values.map(({ text, origin }) => [key, visible(text), visible(formatPlace(origin))]),
  );
  await terminal.out(await formatFittingTable([['SETTING', 'VALUE', 'FROM'], ...rows], terminal.outColumns));
}

/** @throws OciError CONFIG_INVALID after printing the list, if a file is invalid. */
async function path({ terminal, settingsFiles }: Context, json: boolean): Promise<void> {
  const { files, faults } = await settingsFiles();
  if (json) await terminal.out(`${formatJson(files)}\n`);
  else {
    const rows = files.map(({ purpose, file, state, namedBy }) => [
      purpose,
      visible(file),
      namedBy === undefined ? state : `${state}, named by ${visible(namedBy)}`,
    ]);
    await terminal.out(await formatFittingTable([['PURPOSE', 'PATH', 'STATE'], ...rows], terminal.outColumns));
  }
  const [first, ...others] = faults;
  for (const { message } of others) terminal.warn(message);
  if (first) throw first;
}

function formatPlace({ kind, name, line }: ShownValue['origin']): string {
  if (kind === 'default' && /^[/~]/.test(name)) return 'default';
  return line === undefined ? name : `${name}:${line}`;
}
