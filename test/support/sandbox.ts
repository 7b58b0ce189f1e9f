import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { projectRoot } from './project.ts';

/** The part of `TestContext` that helpers need, so that scripts can provide it too. */
export type Scope = Pick<TestContext, 'after'>;

const endings = new WeakMap<Scope, (() => unknown)[]>();

/** Runs at the end of a test, the latest first: a program ends before its directory is removed. */
export function atEnd(t: Scope, end: () => unknown): void {
  const known = endings.get(t);
  if (known) return void known.push(end);
  const ends = [end];
  endings.set(t, ends);
  t.after(async () => {
    for (const each of ends.reverse()) await each();
  });
}

/** A directory that is removed at the end of the test. */
export async function temporaryDirectory(t: Scope, parent: string = tmpdir()): Promise<string> {
  const directory = await mkdtemp(join(parent, 'ocictl-test-'));
  atEnd(t, () => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

/** A separate home for a test: nothing of the user's is read or written. */
export interface Sandbox {
  readonly home: string;
  /** The local store. */
  readonly store: string;
  /** The directory of Docker's config.json, which is `{}` at first. */
  readonly dockerConfig: string;
  /** Docker's daemon.json, `{}` at first. */
  readonly daemonJson: string;
  readonly certsDir: string;
  readonly env: Readonly<Record<string, string>>;
}

const sandboxes = new WeakMap<Scope, Promise<Sandbox>>();

/** The sandbox of a test, shared by all its commands. */
export function sandbox(t: Scope): Promise<Sandbox> {
  const known = sandboxes.get(t);
  if (known) return known;
  const made = makeSandbox(t);
  sandboxes.set(t, made);
  return made;
}

async function makeSandbox(t: Scope): Promise<Sandbox> {
  const home = await temporaryDirectory(t);
  const [store, dockerConfig, temporary] = [join(home, 'store'), join(home, '.docker'), join(home, 'tmp')];
  const [daemonJson, certsDir, run] = [join(home, 'daemon.json'), join(home, 'certs.d'), join(home, 'run')];
  for (const directory of [dockerConfig, temporary, certsDir, run]) await mkdir(directory, { mode: 0o700 });
  await writeFile(daemonJson, '{}');
  // Podman fails if DOCKER_CONFIG names a directory without this file.
  await writeFile(join(dockerConfig, 'config.json'), '{}');
  await shareCode(join(home, 'cache', 'ocictl'));
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    OCICTL_ROOT: store,
    DOCKER_CONFIG: dockerConfig,
    OCICTL_DAEMON_JSON: daemonJson,
    OCICTL_CERTS_DIR: certsDir,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_RUNTIME_DIR: run,
    TMPDIR: temporary,
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    NO_COLOR: '1',
    // Include the child processes in coverage.
    ...(process.env['NODE_V8_COVERAGE'] !== undefined && { NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] }),
  };
  return { home, store, dockerConfig, daemonJson, certsDir, env };
}

/** Compiled code of the program is the same for all tests, and without it a start takes a fifth longer. */
async function shareCode(cache: string): Promise<void> {
  const shared = join(projectRoot, '.build', 'code');
  await mkdir(shared, { recursive: true, mode: 0o700 });
  await mkdir(cache, { recursive: true, mode: 0o700 });
  await symlink(shared, join(cache, 'code'));
}
