import type { Context, LoginServer, Logins } from '../app/context.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { visible } from '../model/quote.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag } from './command-line/command.ts';
import { jsonOption } from './command-line/options.ts';
import { warnOfOverride } from './login.ts';
import { shownServer } from './whoami.ts';

export const logout = defineCommand({
  name: 'logout',
  summary: 'Log out from a registry',
  description:
    'Forgets what is stored for the registry, in Docker’s config.json and with its helper. That nothing is stored is no\n' +
    'failure. Without SERVER, Docker Hub is meant.',
  arguments: [
    {
      label: 'SERVER',
      summary: 'host[:port] of the registry, or HOST/NAMESPACE',
      arity: 'optional',
      completes: 'nothing',
    },
  ],
  options: { all: flag('--all', 'Log out from every registry'), json: jsonOption },
  examples: [
    { text: 'A registry of your own', command: 'logout registry.example.com' },
    { text: 'At the end of a shift', command: 'logout --all' },
  ],
  async run({ words: [word], options }, context) {
    const { terminal, signal } = context;
    if (options.all && word !== undefined) {
      throw new OciError('USAGE', '--all means every server, and one is named', { hint: 'leave one of them out' });
    }
    const logins = await context.logins();
    warnOfOverride(context, logins);
    if (options.all) return logOutOfAll(logins, context, options.json);
    const server = logins.server(word);
    const removed = await logins.logout(server, { signal });
    if (!removed) await tellOthers(context, logins, server);
    await terminal.out(
      options.json
        ? `${formatJson({ server: server.name, removed })}\n`
        : `Removing login credentials for ${server.shown}\n`,
    );
    // Of a namespace, those of what it lies in would be found.
    if (server.name === server.host) await warnOfRest(context, logins, [server.host]);
  },
});

/** Where nothing was stored under this name: what is stored for the rest of the registry stays, and how it goes. */
async function tellOthers({ terminal, signal }: Context, logins: Logins, server: LoginServer): Promise<void> {
  const others = new Set<string>();
  for await (const name of logins.names({ signal })) {
    const other = shownServer(name);
    if (other === server.host || other.startsWith(`${server.host}/`)) others.add(other);
  }
  for (const name of [...others].sort()) {
    terminal.note(`nothing is stored for ${server.name}; for ${name} there is a login: ocictl logout ${name}`);
  }
}

async function logOutOfAll(logins: Logins, context: Context, json: boolean): Promise<void> {
  const { terminal, signal } = context;
  const names: string[] = [];
  for await (const name of logins.names({ signal })) names.push(name);
  const results: object[] = [];
  const failed = new Set<string>();
  for (const name of names) {
    const server = shownServer(name);
    try {
      const removed = await logins.logout(name, { signal });
      results.push({ server, removed });
      if (!json && removed) await terminal.out(`Removing login credentials for ${visible(server)}\n`);
    } catch (error) {
      if (!isOciError(error) || error.code === 'CANCELLED') throw error;
      failed.add(name);
      results.push({ server, removed: false });
      terminal.warn(`${server}: ${error.message}`);
    }
  }
  await warnOfRest(
    context,
    logins,
    names.filter((name) => !failed.has(name)),
  );
  if (json) await terminal.out(`${formatJson(results)}\n`);
  if (failed.size > 0) throw new OciError('PARTLY_FAILED', `${failed.size} of ${names.length} logins are still stored`);
}

/** What other programs keep is theirs to forget. */
async function warnOfRest({ terminal, signal }: Context, logins: Logins, names: Iterable<string>): Promise<void> {
  if (logins.overriddenBy !== undefined) return;
  const sources = new Set<string>();
  for (const name of names) {
    const rest = await logins.find(name, { signal });
    if (rest) sources.add(rest.source);
  }
  for (const source of sources) terminal.warn(`credentials are still kept in ${source}, which ocictl only reads`);
}
