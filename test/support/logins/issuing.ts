/** `ocictl serve --issue-tokens`, and what tests of it need. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { hashSync } from 'bcryptjs';
import { ocictl, spawnServe } from '../command.ts';
import { buildImage } from '../images.ts';
import { writeLayout } from '../layout.ts';
import { type Account, ada } from '../login-servers.ts';
import type { RunResult } from '../process.ts';
import { type Scope, sandbox, temporaryDirectory } from '../sandbox.ts';

export const eve: Account = { username: 'eve', password: 'battery staple' };

/** ada may do everything below `team/` and see the catalog, eve may pull from `team/`, everyone may pull from `public/`. */
export const rules = [
  { users: [ada.username], repositories: ['team/**', 'public/**'], actions: ['pull', 'push', 'delete', 'catalog'] },
  { users: [ada.username, eve.username], repositories: 'team/*', actions: 'pull' },
  { anonymous: true, repositories: 'public/**', actions: ['pull'] },
];

/** Writes an access file into the test's sandbox, as JSON, which is valid YAML. @returns Its path. */
export async function writeAccess(
  t: Scope,
  more: Readonly<Record<string, unknown>> = {},
  accounts: readonly Account[] = [ada, eve],
): Promise<string> {
  const file = join((await sandbox(t)).home, 'access.yaml');
  const users = Object.fromEntries(accounts.map(({ username, password }) => [username, hashSync(password, 4)]));
  await writeFile(file, JSON.stringify({ users, rules, ...more }, undefined, 2));
  return file;
}

export async function layoutOf(
  t: TestContext,
  files: Readonly<Record<string, string>> = { name: 'app' },
): Promise<string> {
  const layout = await temporaryDirectory(t);
  await writeLayout(layout, '1', await buildImage({ layers: [{ files }] }));
  return `oci:${layout}:1`;
}

/** Commands of the test ask for their own tokens: what a token server decides by now is then seen at once. */
export async function keepNoTokens(t: Scope): Promise<void> {
  const { home } = await sandbox(t);
  await mkdir(join(home, 'config', 'ocictl'), { recursive: true });
  await writeFile(join(home, 'config', 'ocictl', 'config.yaml'), 'token-cache: off\n');
}

export function logIn(t: TestContext, host: string, { username, password }: Account): Promise<RunResult> {
  return ocictl(t, ['login', '-u', username, '--password-stdin', host], { input: password });
}

export async function storedLogin(t: TestContext, host: string): Promise<Readonly<Record<string, string>>> {
  const { dockerConfig } = await sandbox(t);
  return JSON.parse(await readFile(join(dockerConfig, 'config.json'), 'utf8')).auths[host];
}

export function startIssuer(t: TestContext, file: string, ...words: string[]): ReturnType<typeof spawnServe> {
  return spawnServe(t, ['--root', 'images', '--issue-tokens', file, '-v', ...words]);
}
