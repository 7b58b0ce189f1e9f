import type { StoredLogin } from '../app/context.ts';
import { OciError } from '../model/errors.ts';
import { visible } from '../model/quote.ts';
import { formatTable } from '../terminal/format.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand } from './command-line/command.ts';
import { jsonOption } from './command-line/options.ts';

export const whoami = defineCommand({
  name: 'whoami',
  summary: 'Show which stored credentials are used',
  description:
    'Shows which credentials a registry, or one of its repositories, would get, and where they are stored; without SERVER,\n' +
    'all that are stored. No secret is printed, and no registry is asked. The exit status is 4 if there are none.',
  arguments: [
    { label: 'SERVER', summary: 'host[:port], or a repository HOST/NAME', arity: 'optional', completes: 'nothing' },
  ],
  options: { json: jsonOption },
  examples: [
    { text: 'Every login', command: 'whoami' },
    { text: 'The login for a repository', command: 'whoami registry.example.com/team/app' },
  ],
  async run({ words, options }, { terminal, signal, logins }) {
    const known = await logins();
    const [word] = words;
    const found: StoredLogin[] = [];
    const unreadable: OciError[] = [];
    if (word === undefined) {
      const onUnreadable = (error: OciError) => unreadable.push(error);
      for await (const login of known.all({ signal, onUnreadable })) found.push(login);
      if (found.length === 0 && unreadable[0]) throw unreadable[0];
      for (const { message } of unreadable) terminal.warn(message);
    } else {
      const { name } = known.server(word);
      const login = await known.find(name, { signal });
      if (login) found.push(login);
    }
    if (found.length === 0) {
      const name = word === undefined ? undefined : known.server(word).name;
      const where = name === undefined ? 'anywhere' : `to ${name}`;
      const hint = `log in with 'ocictl login${name === undefined || name === 'docker.io' ? '' : ` ${name}`}'`;
      throw new OciError('UNAUTHORIZED', `nobody is logged in ${where}`, { hint });
    }
    const records = found.map(({ host, username, kind, source }) => ({
      server: shownServer(host),
      username: username ?? null,
      kind,
      source,
    }));
    if (options.json) await terminal.out(`${formatJson(word === undefined ? records : records[0])}\n`);
    else await terminal.out(await formatTable([['SERVER', 'USER', 'WITH', 'FROM'], ...found.map(row)]));
  },
});

function row({ host, username, kind, source }: StoredLogin): readonly string[] {
  return [shownServer(host), username ?? '-', kind.replace('-', ' '), source].map(visible);
}

/** In Docker's file, it may be a URL that contains a password. */
export function shownServer(host: string): string {
  return host.replace(/^.*@/s, '');
}
