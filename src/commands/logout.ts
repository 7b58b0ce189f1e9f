import { formatJson } from '../terminal/json.ts';
import { defineCommand } from './command.ts';
import { warnOfOverride } from './login.ts';
import { jsonOption } from './options.ts';

export const logout = defineCommand({
  name: 'logout',
  summary: 'Log out from a registry',
  description:
    'Forgets what is stored for the registry, in Docker’s config.json and with its helper. That nothing is stored is no\n' +
    'failure. Without SERVER, Docker Hub is meant.',
  arguments: [{ label: 'SERVER', summary: 'host[:port] of the registry', arity: 'optional', completes: 'nothing' }],
  options: { json: jsonOption },
  examples: [{ text: 'A registry of your own', command: 'logout registry.example.com' }],
  async run({ words, options }, context) {
    const { terminal, signal } = context;
    const logins = await context.logins();
    warnOfOverride(context, logins);
    const server = logins.server(words[0]);
    if (!options.json) await terminal.out(`Removing login credentials for ${server.shown}\n`);
    const removed = await logins.logout(server, { signal });
    if (options.json) await terminal.out(`${formatJson({ server: server.host, removed })}\n`);
  },
});
