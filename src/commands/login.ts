import type { Context, GivenLogin, LoginOutcome, LoginServer, Logins, StoreChoice } from '../app/context.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { formatJson } from '../terminal/json.ts';
import { createPrompter, maxSecretBytes, notInteractive, readSecret } from '../terminal/prompt.ts';
import { defineCommand, flag, value } from './command-line/command.ts';
import { directOptions, jsonOption } from './command-line/options.ts';

const storeChoices: readonly StoreChoice[] = ['file', 'keychain', 'helper'];

export const login = defineCommand({
  name: 'login',
  summary: 'Log in to a registry',
  description:
    'Checks the credentials at the registry and stores them for all commands: with the helper that Docker’s config.json\n' +
    'names, otherwise in the keychain of this system, otherwise in config.json, in clear text. Without options, stored\n' +
    'credentials are tried first. Without SERVER, it is Docker Hub. With HOST/NAMESPACE, the credentials are only for the\n' +
    'repositories below it; if several namespaces match, the longest is used.',
  arguments: [
    {
      label: 'SERVER',
      summary: 'host[:port] of the registry, or HOST/NAMESPACE',
      arity: 'optional',
      completes: 'nothing',
    },
  ],
  options: {
    username: value('-u, --username <name>', 'User name'),
    password: value('-p, --password <secret>', 'Password or token; others on this machine can see it here'),
    passwordStdin: flag('--password-stdin', 'Read the password from standard input'),
    identityTokenStdin: flag('--identity-token-stdin', 'Read an identity token (a refresh token) from standard input'),
    store: value('--store <place>', 'Store them in the file, in the keychain, or with the helper', {
      choices: storeChoices,
    }),
    noVerify: flag('--no-verify', 'Do not check the credentials at the registry'),
    ...directOptions,
    json: jsonOption,
  },
  examples: [
    { text: 'Docker Hub; asks for user name and password', command: 'login' },
    { text: 'Only for the repositories of one team', command: 'login registry.example.com/team' },
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
      throw new OciError('USAGE', 'the --password-stdin option requires --username to be set', {
        hint: 'add --username NAME; for an identity token there is --identity-token-stdin',
      });
    }
    if (options.identityTokenStdin && (password !== undefined || passwordStdin)) {
      throw new OciError('USAGE', 'conflicting options: an identity token replaces the password');
    }
    const keep = { store: parseStore(options.store), verify: !options.noVerify, signal: context.signal };
    if (username?.trim() === '') throw new OciError('USAGE', 'username is empty');
    if (password?.trim() === '') throw new OciError('USAGE', 'password is empty');
    const { terminal, signal } = context;
    if (password !== undefined) {
      terminal.note('WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
    }
    const logins = await context.logins({ insecureRegistries: options.insecureRegistries, certsDir: options.certsDir });
    warnOfOverride(context, logins);
    const server = logins.server(words[0]);
    const given = username?.trim();
    const asIs = given === undefined && password === undefined && !options.identityTokenStdin;
    // Stored credentials cannot be moved to another store, and for a namespace they may be those of its host.
    const usable = asIs && keep.store === undefined && keep.verify && server.name === server.host;
    const stored = usable ? await tryStored(context, logins, server) : undefined;
    if (stored) return tell(context, stored, options);
    const read = passwordStdin || options.identityTokenStdin;
    const secret = read ? await readSecret(context.stdin(), { maxBytes: maxSecretBytes, signal }) : password;
    const login: GivenLogin =
      options.identityTokenStdin && secret !== undefined
        ? { username: given, identityToken: secret }
        : await complete(context, logins, server, { username: given, password: secret });
    await tell(context, await logins.login(server, login, keep), options);
  },
});

function parseStore(word: string | undefined): StoreChoice | undefined {
  const found = storeChoices.find((choice) => choice === word);
  if (word === undefined || found) return found;
  throw new OciError('USAGE', `unknown store ${quote(word)}`, { hint: `choose ${storeChoices.join(', ')}` });
}

/** Docker's variable takes precedence over stored credentials, so a login would seem to have no effect. */
export function warnOfOverride({ terminal }: Context, { overriddenBy }: Logins): void {
  if (overriddenBy === undefined) return;
  terminal.warn(`${overriddenBy} is set and comes before what is stored; unset it to use what is stored`);
}

/** Checks the stored login. undefined: nothing is stored, or it no longer works and the user can be asked. */
async function tryStored(context: Context, logins: Logins, server: LoginServer): Promise<LoginOutcome | undefined> {
  const { terminal, signal } = context;
  if (!(await logins.find(server.name, { signal }))) return undefined;
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

/** Asks for the missing parts. */
async function complete(
  context: Context,
  logins: Logins,
  server: LoginServer,
  { username, password }: { readonly username: string | undefined; readonly password: string | undefined },
): Promise<{ readonly username: string; readonly password: string }> {
  if (username !== undefined && password !== undefined) return { username, password };
  const { terminal, signal } = context;
  const prompter = createPrompter({ input: context.stdin(), output: terminal.progressStream, signal });
  const known = username === undefined ? (await logins.find(server.name, { signal }))?.username : undefined;
  const question = known === undefined ? 'Username: ' : `Username (${known}): `;
  const user = username ?? ((await prompter.line(question)).trim() || known);
  if (user === undefined) throw new OciError('USAGE', 'username is empty');
  return { username: user, password: password ?? (await prompter.secret('Password: ')) };
}

async function tell(
  { terminal }: Context,
  outcome: LoginOutcome,
  { json, noVerify }: { readonly json: boolean; readonly noVerify: boolean },
): Promise<void> {
  const { host, username, verified, stored } = outcome;
  if (stored?.what === 'password' && stored.place.kind === 'file') {
    terminal.note(`WARNING! Your password will be stored unencrypted in ${stored.place.file}.`);
    terminal.note('Configure a credential helper to remove this warning. See');
    terminal.note('https://docs.docker.com/go/credential-store/');
  }
  for (const program of stored?.blocks ?? []) {
    terminal.note(
      `${program} uses the identity token that is stored; before '${program} login': ocictl logout ${host}`,
    );
  }
  if (!verified && !noVerify) terminal.note(`${host} requires no login: the credentials could not be checked`);
  if (json) {
    const kept = stored ? { what: stored.what, ...stored.place } : null;
    await terminal.out(`${formatJson({ server: host, username: username ?? null, verified, stored: kept })}\n`);
  } else await terminal.out(noVerify ? 'Stored, and not verified\n' : 'Login Succeeded\n');
}
