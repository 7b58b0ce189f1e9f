import { readdir, readFile } from 'node:fs/promises';
import { OciError } from '../model/errors.ts';

interface ReadOptions {
  /** Called for a default file that exists but is not readable; it is skipped then. If absent, that is an error. */
  readonly warn?: ((text: string) => void) | undefined;
}

/**
 * Reads a settings file; undefined if it does not exist.
 *
 * @throws OciError CONFIG_INVALID if it exists and cannot be read.
 */
export async function readSettingsFile(file: string, opts: ReadOptions = {}): Promise<string | undefined> {
  return skipUnreadable(file, () => readFile(file, 'utf8'), opts);
}

/** The purposes of files, as in `ocictl config path`, in order of precedence. */
const purposes: readonly FilePurpose[] = ['config.yaml', 'daemon.json', 'registries.conf', 'hosts.toml', 'config.json'];

/** What a file of settings is, by the name that its format has. */
export type FilePurpose = 'config.yaml' | 'daemon.json' | 'registries.conf' | 'hosts.toml' | 'config.json';

/** A file where settings were looked for. */
export interface ConsideredFile {
  /** What is looked for in it. */
  readonly purpose: FilePurpose;
  /** Its path. */
  readonly file: string;
  /** `unused`: it exists, but another file replaces it. */
  readonly state: 'read' | 'absent' | 'unreadable' | 'unused';
  /** The variable or flag that names it. */
  readonly namedBy?: string;
}

export interface SettingsText {
  readonly file: string;
  readonly text: string;
}

interface DirectoryEntry {
  readonly name: string;
  /** Whether it is a directory, or a link that may lead to one. */
  readonly directory: boolean;
}

interface ReadHow {
  /** The variable or file that names it: then it must exist and be readable. */
  readonly namedBy?: string | undefined;
  /** It belongs to the user: if it is not readable, that is an error. */
  readonly own?: boolean;
}

/** Reads settings files, and records which were looked for. */
export interface SettingsReader {
  /** In order of precedence. */
  considered(): readonly ConsideredFile[];
  /**
   * Reads a file; undefined if it does not exist. A file that is not readable is skipped with a warning.
   *
   * @throws OciError CONFIG_INVALID
   */
  read(purpose: FilePurpose, file: string, how?: ReadHow): Promise<SettingsText | undefined>;
  /** Marks a file as unused after it was read. */
  disregard(file: string): void;
  /** The entries of a directory, sorted by name; empty if it does not exist. */
  list(purpose: FilePurpose, directory: string, how?: ReadHow): Promise<readonly DirectoryEntry[]>;
}

export function createSettingsReader(warn: (text: string) => void): SettingsReader {
  const considered: Entry[] = [];
  const consider = async <T>(
    purpose: FilePurpose,
    file: string,
    { namedBy, own }: ReadHow,
    read: () => Promise<T>,
  ): Promise<T | undefined> => {
    const entry: Entry = { purpose, file, state: 'absent', ...(namedBy !== undefined && { namedBy }) };
    considered.push(entry);
    const skipped = (text: string): void => {
      entry.state = 'unreadable';
      warn(text);
    };
    const found = await skipUnreadable(file, read, { warn: namedBy === undefined && !own ? skipped : undefined });
    if (found !== undefined) entry.state = 'read';
    else if (namedBy !== undefined) {
      throw new OciError('CONFIG_INVALID', `${namedBy} names ${file}, which does not exist`, {
        hint: `create the file, or change ${namedBy}`,
      });
    }
    return found;
  };
  return {
    considered: () => purposes.flatMap((purpose) => considered.filter((entry) => entry.purpose === purpose)),
    async read(purpose, file, how = {}) {
      const text = await consider(purpose, file, how, () => readFile(file, 'utf8'));
      return text === undefined ? undefined : { file, text };
    },
    disregard(file) {
      for (const entry of considered) if (entry.file === file && entry.state === 'read') entry.state = 'unused';
    },
    async list(purpose, directory, how = {}) {
      const read = () => readdir(directory, { withFileTypes: true });
      const entries = (await consider(purpose, directory, how, read)) ?? [];
      return entries
        .map((entry) => ({ name: entry.name, directory: entry.isDirectory() || entry.isSymbolicLink() }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };
}

type Entry = { -readonly [K in keyof ConsideredFile]: ConsideredFile[K] };

async function skipUnreadable<T>(file: string, read: () => Promise<T>, { warn }: ReadOptions): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (warn && (code === 'EACCES' || code === 'EPERM')) {
      warn(`${file} was skipped: this user may not read it`);
      return undefined;
    }
    const reason = code === 'EISDIR' ? 'it is a directory' : (code ?? 'unknown reason');
    throw new OciError('CONFIG_INVALID', `${file} cannot be read: ${reason}`, {
      cause: error,
      hint: 'remove it, or put a file in its place that this user may read',
    });
  }
}
