/** New keys, in the two files that cosign writes. */
import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { link } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory, writeNew } from '../../files/durable.ts';
import { fileError, hasErrno } from '../../files/file-errors.ts';
import { rename, stat, unlink } from '../../files/system-calls.ts';
import { OciError } from '../../model/errors.ts';
import { encryptKey } from './envelope.ts';
import { writePem } from './pem.ts';
import { sigstoreLabel } from './private-key.ts';
import { keyHint, writePublicKey } from './public-key.ts';

/** Read by its owner alone. */
const privateMode = 0o600;

interface KeyFiles {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** The files of a pair. */
export function keyFiles(prefix: string): KeyFiles {
  return { privateKey: `${prefix}.key`, publicKey: `${prefix}.pub` };
}

/** @throws OciError REFUSED if one of them exists. */
export async function refuseExisting(files: KeyFiles): Promise<void> {
  for (const file of [files.privateKey, files.publicKey]) {
    const found = await stat(file).then(
      () => true,
      () => false,
    );
    if (found) throw existing(file);
  }
}

/**
 * Makes a key (ECDSA on P-256) and writes both files: both, or neither.
 *
 * @param opts.replace Whether files that exist are replaced.
 * @returns How bundles name the key.
 * @throws OciError REFUSED for files that exist; STORAGE_*
 */
export async function makeKeyPair(
  files: KeyFiles,
  { password, replace }: { readonly password: string; readonly replace: boolean },
): Promise<string> {
  if (!replace) await refuseExisting(files);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = createPublicKey(privateKey);
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  const sealed = await encryptKey(der, password);
  const drafts = [
    { file: files.privateKey, text: writePem(sigstoreLabel, sealed), mode: privateMode },
    { file: files.publicKey, text: writePublicKey(publicKey) },
  ].map((one) => ({ ...one, draft: `${one.file}.${randomUUID()}.tmp` }));
  const named: string[] = [];
  try {
    for (const { file, text, mode, draft } of drafts) {
      await explained(file, () => writeNew(draft, new TextEncoder().encode(text), { mode }));
    }
    for (const { file, draft } of drafts) {
      // A link, unlike a rename, fails where the name is taken.
      await explained(file, () => (replace ? rename(draft, file) : link(draft, file)));
      named.push(file);
    }
    await explained(files.privateKey, () => syncDirectory(dirname(files.privateKey)));
  } catch (error) {
    if (!replace) for (const file of named) await unlink(file).catch(() => {});
    throw error;
  } finally {
    for (const { draft } of drafts) await unlink(draft).catch(() => {});
  }
  return keyHint(publicKey);
}

async function explained(file: string, operation: () => Promise<unknown>): Promise<void> {
  try {
    await operation();
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) throw existing(file);
    const elsewhere = 'name another prefix with --output-prefix';
    if (hasErrno(error, 'ENOENT')) {
      const problem = `cannot write ${file}: there is no directory ${dirname(file)}`;
      throw new OciError('STORAGE', problem, { hint: `make it first, or ${elsewhere}`, cause: error });
    }
    throw fileError(error, 'write the key', file, { full: 'make room there', elsewhere });
  }
}

function existing(file: string): OciError {
  return new OciError('REFUSED', `${file} exists already`, {
    hint: 'name another prefix with --output-prefix; --force replaces the key, and what only it could sign',
  });
}
