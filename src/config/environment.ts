import { homedir, platform } from 'node:os';

/** What the settings are looked up in; tests and the library bring their own. */
export interface Environment {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly homedir: string;
  /** 0 is root; undefined on Windows. */
  readonly uid: number | undefined;
  /** Where the system's files are. Default /etc. */
  readonly etc?: string;
}

/** Those of this process, where none are given. */
export function environment(given: Partial<Environment> = {}): Environment {
  const { env = process.env } = given;
  const os = given.platform ?? platform();
  return {
    env,
    platform: os,
    homedir: given.homedir ?? (os === 'win32' ? undefined : variable(env, 'HOME')) ?? homedir(),
    uid: 'uid' in given ? given.uid : process.geteuid?.(),
    etc: given.etc ?? '/etc',
  };
}

/** A variable's value; an empty one counts as unset. */
export function variable(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value === '' ? undefined : value;
}
