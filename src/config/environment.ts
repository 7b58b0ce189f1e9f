import { homedir, platform } from 'node:os';

/** What the settings are looked up in; tests and the library bring their own. */
export interface Environment {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  /** Undefined where there is none, as for a user without an entry in passwd: nothing below it is read then. */
  readonly homedir: string | undefined;
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
    homedir: 'homedir' in given ? given.homedir : homeDirectory(env, os),
    uid: 'uid' in given ? given.uid : process.geteuid?.(),
    etc: given.etc ?? '/etc',
  };
}

/** The home directory: `HOME`, but on Windows, or what the system says of the user; undefined where it says nothing. */
export function homeDirectory(env: NodeJS.ProcessEnv, os: NodeJS.Platform = platform()): string | undefined {
  const named = os === 'win32' ? undefined : variable(env, 'HOME');
  if (named !== undefined) return named;
  try {
    return homedir() || undefined;
  } catch {
    // OpenShift runs containers with user numbers that no passwd knows.
    return undefined;
  }
}

/** A variable's value; an empty one counts as unset. */
export function variable(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value === '' ? undefined : value;
}
