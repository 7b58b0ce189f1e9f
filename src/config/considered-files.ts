import { join } from 'node:path';
import { OciError } from '../model/errors.ts';
import { type LoadSettingsOptions, readConfigYaml, readDaemonJson } from './base-settings.ts';
import { parseDockerConfig } from './docker/docker-config.ts';
import { environment } from './environment.ts';
import { dockerConfigDir } from './paths.ts';
import { loadHostsDirs, loadRegistriesConf } from './registry-files.ts';
import { environmentSetting } from './settings.ts';
import { type ConsideredFile, createSettingsReader } from './settings-file.ts';

export interface ConsideredFiles {
  readonly files: readonly ConsideredFile[];
  /** Errors in these files, at most one per file. */
  readonly faults: readonly OciError[];
}

/** Every file where settings are looked for, even if some of them cannot be read. */
export async function considerFiles(options: LoadSettingsOptions = {}): Promise<ConsideredFiles> {
  const where = environment(options);
  const warn = (): void => {};
  const reader = createSettingsReader(warn);
  const faults: OciError[] = [];
  const attempt = <T>(reading: Promise<T>): Promise<T | undefined> =>
    reading.catch((error: unknown) => {
      if (!(error instanceof OciError)) throw error;
      faults.push(error);
      return undefined;
    });
  const [own] = await Promise.all([attempt(readConfigYaml(where, reader)), attempt(readDaemonJson(where, reader))]);
  const shortNames = own?.shortNames?.value === 'containers';
  const hostsDir = environmentSetting('OCICTL_HOSTS_DIR', where) ?? own?.hostsDir;
  const directory = dockerConfigDir(options.flags?.dockerConfigDir, own?.dockerConfig, where);
  const readDocker = async (): Promise<void> => {
    if (directory === undefined) return;
    const docker = join(directory.value, 'config.json');
    const found = await reader.read('config.json', docker, { own: true });
    if (found) parseDockerConfig(found.text, docker);
  };
  await Promise.all([
    attempt(loadRegistriesConf({ where, reader, warn, hostsDir, shortNames })),
    attempt(loadHostsDirs({ where, reader, warn, hostsDir, shortNames })),
    attempt(readDocker()),
  ]);
  return { files: reader.considered(), faults };
}
