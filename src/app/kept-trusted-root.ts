/** The trusted root of sigstore that a user has kept in the cache directory. Part of the composition root. */
import { fileError } from '../files/file-errors.ts';
import { PrivateDirectory } from '../files/private-directory.ts';
import { OciError } from '../model/errors.ts';

/** A file of this user alone. */
export interface KeptTrustedRoot {
  /** For messages; undefined where there is no cache directory. */
  readonly path: string | undefined;
  /** Undefined if none is kept. @throws OciError STORAGE_*, also if others may change it */
  read(maxBytes: number): Uint8Array | undefined;
  /** @throws OciError STORAGE_* */
  keep(bytes: Uint8Array): void;
}

const name = 'trusted_root.json';

export function keptTrustedRoot(cache: string | undefined): KeptTrustedRoot {
  if (cache === undefined) {
    const keep = (): never => {
      throw new OciError(
        'STORAGE',
        'there is no cache directory to keep the trusted root in: this user has no home directory',
        {
          hint: 'name the file each time with --trusted-root',
        },
      );
    };
    return { path: undefined, read: () => undefined, keep };
  }
  const directory = new PrivateDirectory(cache, ['trust']);
  const path = `${directory.path}/${name}`;
  const explained = <T>(action: string, run: () => T): T => {
    try {
      return run();
    } catch (error) {
      const elsewhere = 'name the file each time with --trusted-root';
      throw fileError(error, action, path, { full: 'make room there', elsewhere });
    }
  };
  return {
    path,
    read: (maxBytes) => explained('read the trusted root', () => directory.read(name, maxBytes)),
    keep: (bytes) => explained('keep the trusted root', () => directory.write(name, bytes)),
  };
}
