import type { Context, LoginOutcome, LoginServer, Logins } from '../app.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { formatJson } from '../terminal/json.ts';
import { createPrompter, notInteractive, readSecret } from '../terminal/prompt.ts';
import { defineCommand, flag, value } from './command.ts';
import { jsonOption, serviceOptions } from './options.ts';

/** Far more than any token; what is longer is another file. */
const maxSecretBytes = 1024 * 1024;

export const login = defineCommand({
  name: 'login',
  summary: 'Log in to a registry',
  description:
    'Checks the credentials at the registry and keeps them for all commands, in Docker’s config.json or with the helper\n' +
    'that is set up there. Without options, what is already stored is tried first. Without SERVER, Docker Hub is meant.',
  arguments: [{ label: 'SERVER', summary: 'host[:port] of the registry', arity: 'optional', completes: 'nothing' }],
  options: {
    username: value('-u, --username <name>', 'User name'),
    password: value('-p, --password <secret>', 'Password or token; others on this machine can see it here'),
    passwordStdin: flag('--password-stdin', 'Read the password from standard input'),
    insecureRegistries: serviceOptions.insecureRegistries,
    json: jsonOption,
  },
  examples: [
    { text: 'Docker Hub; user name and password are asked for', command: 'login' },
    {
      text: 'In a script',
      command: 'login --username ci --password-stdin registry.example.com < token.txt',
    },
  ],
  async run({ words, options }, context) {
    const { username, password, passwordStdin } = options;
    if (password !== undefined && passwordStdin) {
      throw new OciError('USAGE', 'conflicting options: cannot specify both --password and --password-stdin');
    }
    if (passwordStdin && username === undefined) {
      throw new OciError('USAGE', 'the --password-stdin option requires --username to be set');
    }
    if (username?.trim() === '') throw new OciError('USAGE', 'username is empty');
    if (password?.trim() === '') throw new OciError('USAGE', 'password is empty');
    const { terminal, signal } = context;
    if (password !== undefined) {
      terminal.note('WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
    }
    const logins = await context.logins(options);
    warnOfOverride(context, logins);
    const server = logins.server(words[0]);
    const given = username?.trim();
    let outcome = given === undefined && password === undefined ? await tryStored(context, logins, server) : undefined;
    if (!outcome) {
      const secret = passwordStdin ? await readSecret(context.stdin(), { maxBytes: maxSecretBytes, signal }) : password;
      const account = await complete(context, logins, server, { username: given, password: secret });
      outcome = await logins.login(server, account, { signal });
    }
    await tell(context, outcome, options.json);
  },
});

/** Docker's variable counts before what is stored: a login would seem to have no effect. */
export function warnOfOverride({ terminal }: Context, { overriddenBy }: Logins): void {
  if (overriddenBy === undefined) return;
  terminal.warn(`${overriddenBy} is set and comes before what is stored; unset it to use what is stored`);
}

/** undefined: nothing is stored, or it is of no use any more and somebody is there to be asked. */
async function tryStored(context: Context, logins: Logins, server: LoginServer): Promise<LoginOutcome | undefined> {
  const { terminal, signal } = context;
  if (!(await logins.find(server, { signal }))) return undefined;
  terminal.note('Authenticating with existing credentials...');
  try {
    return await logins.check(server, { signal });
  } catch (error) {
    if (!isOciError(error, 'UNAUTHORIZED', 'DENIED')) throw error;
    terminal.note('Stored credentials invalid or expired');
    if (context.stdin().isTTY === true) return undefined;
    const { hint } = notInteractive();
    throw new OciError(error.code, error.message, {
      hint,
      cause: error,
      status: error.status,
      endpoint: error.endpoint,
    });
  }
}

/** Asks for what was not given. */
async function complete(
  context: Context,
  logins: Logins,
  server: LoginServer,
  { username, password }: { readonly username: string | undefined; readonly password: string | undefined },
): Promise<{ readonly username: string; readonly password: string }> {
  if (username !== undefined && password !== undefined) return { username, password };
  const { terminal, signal } = context;
  const prompter = createPrompter({ input: context.stdin(), output: terminal.progressStream, signal });
  const known = username === undefined ? (await logins.find(server, { signal }))?.username : undefined;
  const question = known === undefined ? 'Username: ' : `Username (${known}): `;
  const user = username ?? ((await prompter.line(question)).trim() || known);
  if (user === undefined) throw new OciError('USAGE', 'username is empty');
  return { username: user, password: password ?? (await prompter.secret('Password: ')) };
}

async function tell({ terminal }: Context, outcome: LoginOutcome, json: boolean): Promise<void> {
  const { host, username, verified, stored } = outcome;
  if (stored?.what === 'password' && stored.place.kind === 'file') {
    terminal.note(`WARNING! Your password will be stored unencrypted in ${stored.place.file}.`);
    terminal.note('Configure a credential helper to remove this warning. See');
    terminal.note('https://docs.docker.com/go/credential-store/');
  }
  if (!verified) terminal.note(`${host} asks nobody to log in: the credentials could not be checked`);
  if (json) {
    const kept = stored ? { what: stored.what, ...stored.place } : null;
    await terminal.out(`${formatJson({ server: host, username: username ?? null, verified, stored: kept })}\n`);
  } else await terminal.out('Login Succeeded\n');
}
