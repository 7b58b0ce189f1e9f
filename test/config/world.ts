import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { loadSettings, type Settings, type SettingsFlags } from '../../src/config/settings.ts';
import { isOciError } from '../../src/model/errors.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

export interface LoadOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly flags?: SettingsFlags;
}

/** A separate home and /etc for a test. */
export interface World {
  readonly home: string;
  /** @param path Relative to the home; the system's files are in `etc`. */
  write(path: string, text: string): Promise<string>;
  load(options?: LoadOptions): Promise<Settings>;
}

export async function world(t: TestContext): Promise<World> {
  const home = await temporaryDirectory(t);
  const write = async (path: string, text: string): Promise<string> => {
    const file = join(home, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  };
  const none = await write('no-daemon.json', '');
  return {
    home,
    write,
    load: ({ env = {}, flags } = {}) =>
      loadSettings({
        env: { OCICTL_DAEMON_JSON: none, ...env },
        platform: 'linux',
        homedir: home,
        etc: join(home, 'etc'),
        uid: 1000,
        flags,
      }),
  };
}

/** For `assert.rejects`: a configuration error whose message matches. */
export function configError(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    if (!isOciError(error, 'CONFIG_INVALID')) return false;
    if (pattern.test(error.message)) return true;
    throw new Error(`${error.message} does not fit ${pattern}`);
  };
}
