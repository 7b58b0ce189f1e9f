import { homedir, platform } from 'node:os';

/** The environment in which settings are looked up. Tests and library users may pass their own. */
export interface Environment {
  /** Variables. */
  readonly env: NodeJS.ProcessEnv;
  /** As `process.platform`. */
  readonly platform: NodeJS.Platform;
  /** Undefined if the user has none, such as one without a passwd entry: nothing below it is read then. */
  readonly homedir: string | undefined;
  /** 0 is root; undefined on Windows. */
  readonly uid: number | undefined;
  /** Directory of the system's files. Default /etc. */
  readonly etc?: string;
}

/** Fills in what is not given from this process. */
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

/** The home directory: `HOME` (except on Windows), or else the system's entry for the user; undefined if there is none. */
function homeDirectory(env: NodeJS.ProcessEnv, os: NodeJS.Platform = platform()): string | undefined {
  const named = os === 'win32' ? undefined : variable(env, 'HOME');
  if (named !== undefined) return named;
  try {
    return homedir() || undefined;
  } catch {
    // OpenShift runs containers with user IDs that are not in passwd.
    return undefined;
  }
}

/** A variable's value; an empty one counts as unset. */
export function variable(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value === '' ? undefined : value;
}
