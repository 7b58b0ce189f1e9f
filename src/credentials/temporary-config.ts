/** A private Docker configuration for one command, with the credentials of one registry and no other secrets. */
import { rmSync } from 'node:fs';
import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DockerConfig } from '../config/docker/docker-config.ts';
import { withDockerKeys } from '../config/docker/go-keys.ts';
import { parseJsonDocument } from '../config/documents/json-document.ts';
import { isRunning } from '../files/process-id.ts';
import { openConfigFileStore } from './config-file.ts';
import type { Credential } from './credential.ts';

export interface TemporaryConfig {
  readonly directory: string;
  /** Changes to the command's environment; undefined: the variable is removed. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Removes the directory. */
  end(): Promise<void>;
  /** The same synchronously, for the exit of the process. */
  endNow(): void;
}

/** Members of a config.json that contain credentials or refer to them. */
const left = new Set(['auths', 'credsStore', 'credHelpers', 'HttpHeaders']);
/** Other entries of Docker's directory that its programs need: connections and plugins. */
const linked = ['contexts', 'cli-plugins', 'buildx'];

const prefix = 'ocictl-login-';

/**
 * Creates the directory, which only this user can read. Directories of killed processes are removed first.
 *
 * @param name `host[:port]`, or `host/namespace`.
 */
export async function makeTemporaryConfig(
  name: string,
  credential: Credential,
  { dockerConfig, env }: { readonly dockerConfig: DockerConfig; readonly env: NodeJS.ProcessEnv },
): Promise<TemporaryConfig> {
  // In memory if possible, so that the secret is not written to a disk.
  const parent = (await privateDirectory(env['XDG_RUNTIME_DIR'])) ?? env['TMPDIR'] ?? tmpdir();
  await sweep(parent);
  const directory = await mkdtemp(join(parent, `${prefix}${hostname()}-${process.pid}-`));
  const end = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const file = join(directory, 'config.json');
    const settings = Object.entries(withDockerKeys(await readObject(dockerConfig.file))).filter(
      ([key]) => !left.has(key),
    );
    await writeFile(file, JSON.stringify(Object.fromEntries(settings)), { mode: 0o600 });
    await openConfigFileStore(file).store(name, credential);
    const own = dockerConfig.file && dirname(dockerConfig.file);
    if (own) for (const entry of linked) await link(join(own, entry), join(directory, entry));
    return {
      directory,
      // Docker's own variable would precede the file.
      env: { DOCKER_CONFIG: directory, REGISTRY_AUTH_FILE: file, DOCKER_AUTH_CONFIG: undefined },
      end,
      endNow: () => rmSync(directory, { recursive: true, force: true }),
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function readObject(file: string | undefined): Promise<Record<string, unknown>> {
  if (file === undefined) return {};
  const { value } = parseJsonDocument(await readFile(file, 'utf8').catch(() => ''), file);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

async function link(target: string, path: string): Promise<void> {
  if (await stat(target).catch(() => undefined)) await symlink(target, path);
}

async function privateDirectory(directory: string | undefined): Promise<string | undefined> {
  const stats = directory ? await stat(directory).catch(() => undefined) : undefined;
  return stats?.isDirectory() && stats.uid === process.geteuid?.() ? directory : undefined;
}

async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const [, host, pid] = /^ocictl-login-(.+)-(\d+)-\w+$/.exec(name) ?? [];
    const path = join(parent, name);
    if (host !== hostname() || pid === undefined || isRunning(Number(pid))) continue;
    // Not following links: the target of another user's link could be a directory of ours.
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isDirectory() && stats.uid === process.geteuid?.())
      await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}
