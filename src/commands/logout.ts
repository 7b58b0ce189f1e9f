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
    'Removes the credentials that are stored for the registry, from Docker’s config.json and from its helper, and the tokens\n' +
    'that were kept of it. If nothing is stored, that is not an error. Without SERVER, it is Docker Hub.',
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
      throw new OciError('USAGE', '--all means every server, but one is named', { hint: 'leave one of them out' });
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
    // Not for a namespace: it would find the login of the whole registry.
    if (server.name === server.host) await warnOfRest(context, logins, [server.host]);
  },
});

/** If nothing was stored under this name: tells of other logins at the registry, which stay, and how to remove them. */
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
  logins.eraseTokens();
  await warnOfRest(
    context,
    logins,
    names.filter((name) => !failed.has(name)),
  );
  if (json) await terminal.out(`${formatJson(results)}\n`);
  if (failed.size > 0) throw new OciError('PARTLY_FAILED', `${failed.size} of ${names.length} logins are still stored`);
}

/** ocictl does not remove what other programs store; it only warns. */
async function warnOfRest({ terminal, signal }: Context, logins: Logins, names: Iterable<string>): Promise<void> {
  if (logins.overriddenBy !== undefined) return;
  const sources = new Set<string>();
  for (const name of names) {
    const rest = await logins.find(name, { signal });
    if (rest) sources.add(rest.source);
  }
  for (const source of sources) terminal.warn(`credentials are still kept in ${source}, which ocictl only reads`);
}
