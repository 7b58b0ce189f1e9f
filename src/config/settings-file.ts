import { readdir, readFile } from 'node:fs/promises';
import { OciError } from '../model/errors.ts';

interface ReadOptions {
  /** Told when a file that nobody named is there but may not be read; it is then skipped. Absent: that is an error. */
  readonly warn?: ((text: string) => void) | undefined;
}

/**
 * The text of a settings file, undefined where there is none.
 *
 * @throws OciError CONFIG_INVALID where it is there and cannot be read.
 */
export async function readSettingsFile(file: string, opts: ReadOptions = {}): Promise<string | undefined> {
  return skipUnreadable(file, () => readFile(file, 'utf8'), opts);
}

/** The purposes of files, as `ocictl config path` names them, in the order in which they count. */
const purposes = ['config.yaml', 'daemon.json', 'registries.conf', 'hosts.toml', 'config.json'] as const;

type FilePurpose = (typeof purposes)[number];

/** A place that was looked at for settings. */
export interface ConsideredFile {
  readonly purpose: FilePurpose;
  readonly file: string;
  /** `unused`: it is there, but another one stands in its place. */
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
  /** It is a directory, or a link that may lead to one. */
  readonly directory: boolean;
}

interface ReadHow {
  /** The variable or file that names it: then it must be there, and be readable. */
  readonly namedBy?: string | undefined;
  /** Its owner is the one who reads: where it may not be read, that is an error. */
  readonly own?: boolean;
}

/** Reads settings files and remembers which were looked for. */
export interface SettingsReader {
  /** In the order in which they count. */
  considered(): readonly ConsideredFile[];
  /**
   * A file's text, undefined where there is none; one that may not be read is skipped with a warning.
   *
   * @throws OciError CONFIG_INVALID
   */
  read(purpose: FilePurpose, file: string, how?: ReadHow): Promise<SettingsText | undefined>;
  /** Says that a file was not used after all. */
  disregard(file: string): void;
  /** What is in a directory, by name; nothing where it is not there. */
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
      throw new OciError('CONFIG_INVALID', `${namedBy} names ${file}, which is not there`, {
        hint: `make the file, or change ${namedBy}`,
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
      warn(`${file} was skipped: it may not be read by this user`);
      return undefined;
    }
    const reason = code === 'EISDIR' ? 'it is a directory' : (code ?? 'unknown reason');
    throw new OciError('CONFIG_INVALID', `${file} cannot be read: ${reason}`, {
      cause: error,
      hint: 'remove it, or put a file in its place that this user may read',
    });
  }
}
