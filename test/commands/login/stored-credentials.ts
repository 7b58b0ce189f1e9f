import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type CommandOptions, ocictl } from '../../support/command.ts';
import { ada } from '../../support/login-servers.ts';
import type { RunResult } from '../../support/process.ts';
import { sandbox } from '../../support/sandbox.ts';

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
export const adaAuth = base64(`${ada.username}:${ada.password}`);
export const hubKey = 'https://index.docker.io/v1/';

export interface ConfigFile {
  readonly auths?: Readonly<Record<string, unknown>>;
}

/** Writes the config.json of the sandbox. */
export async function writeConfig(t: TestContext, config: object): Promise<void> {
  await writeFile(join((await sandbox(t)).dockerConfig, 'config.json'), JSON.stringify(config));
}

export async function readConfig(t: TestContext): Promise<ConfigFile> {
  return JSON.parse(await readFile(join((await sandbox(t)).dockerConfig, 'config.json'), 'utf8')) as ConfigFile;
}

/** Logs in as ada, her password on standard input. */
export function logIn(t: TestContext, host: string, options: CommandOptions = {}): Promise<RunResult> {
  const words = ['login', '-u', ada.username, '--password-stdin', host];
  return ocictl(t, words, { input: `${ada.password}\n`, ...options });
}

/** A credential helper that keeps one login in a file. @returns The environment with the helper on its PATH. */
export async function installHelper(t: TestContext, name: string): Promise<{ PATH: string; file: string }> {
  const { home, env } = await sandbox(t);
  const [bin, file] = [join(home, 'bin'), join(home, 'kept.json')];
  await mkdir(bin, { recursive: true });
  const script = `#!/bin/sh
input=$(cat)
echo "$1 $input" >> '${home}/calls'
case $1 in
  store) printf '%s' "$input" > '${file}' ;;
  get) if [ -f '${file}' ]; then cat '${file}'; else echo 'credentials not found in native keychain'; exit 1; fi ;;
  erase) rm '${file}' ;;
esac
`;
  await writeFile(join(bin, `docker-credential-${name}`), script);
  await chmod(join(bin, `docker-credential-${name}`), 0o755);
  return { PATH: `${bin}:${env['PATH']}`, file };
}
