/**
 * Receipts: what one side of an air gap has, so that the other side can leave it out of the next archive.
 *
 *     {"version":1,"repositories":{"docker.io/library/app":["sha256:…","sha256:…"]}}
 *
 * `load --receipt FILE` writes one, `save --since FILE` reads it.
 */
import { open } from 'node:fs/promises';
import { fileError, hasErrno } from '../files/file-errors.ts';
import { readWhole } from '../files/read-whole.ts';
import { checkResultFile, type ResultFile, writeResultFile } from '../files/result-file.ts';
import { type Digest, tryParseDigest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { asObject, asStrings, parseJsonObject } from '../model/json-fields.ts';
import { quote } from '../model/quote.ts';

/** By full name of a repository, without a tag: the digests of manifests, configs and layers that are there. */
export type Receipt = ReadonlyMap<string, ReadonlySet<Digest>>;

const version = 1;

/** Maximum size of a receipt in bytes: about 200,000 digests. */
const maxBytes = 16 * 1024 * 1024;

/** The text of a receipt. Equal receipts have equal texts. */
function formatReceipt(receipt: Receipt): string {
  const repositories = [...receipt].map(([name, digests]) => [name, [...digests].sort()] as const);
  // fromEntries also keeps a name such as `__proto__`.
  const sorted = Object.fromEntries(repositories.sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ version, repositories: sorted })}\n`;
}

/**
 * Parses a receipt.
 *
 * @param shown Its name in messages.
 * @throws OciError ARCHIVE_INVALID if it is not a receipt, UNSUPPORTED for another version.
 */
function parseReceipt(bytes: Uint8Array, shown: string): Receipt {
  try {
    const document = parseJsonObject(bytes);
    if (document['version'] !== version) throw otherVersion(document['version'], shown);
    const repositories = Object.entries(asObject(document['repositories'], 'repositories'));
    return new Map(repositories.map(([name, digests]) => [name, digestsIn(digests, name)]));
  } catch (cause) {
    if (!isOciError(cause, 'MANIFEST_INVALID')) throw cause;
    throw new OciError('ARCHIVE_INVALID', `${shown} is not a receipt: ${cause.message.replace(/^.*?: /, '')}`, {
      cause,
      hint: 'a receipt is what ocictl load --receipt FILE writes',
    });
  }
}

/** Reads a receipt from a file. @throws OciError as parsing does; USAGE for a missing file; TOO_LARGE, STORAGE_* */
export async function readReceipt(file: string): Promise<Receipt> {
  try {
    await using handle = await open(file, 'r');
    return parseReceipt(await readWhole(handle.fd, file, maxBytes), file);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) {
      throw new OciError('USAGE', `there is no receipt ${file}`, { hint: 'check the path', cause: error });
    }
    throw fileError(error, 'read', file, { full: 'make room on that disk', elsewhere: 'choose another file' });
  }
}

/**
 * Checks that a receipt can be written, before the work that it tells of.
 *
 * @returns What writes it: completely, or the file stays as it was.
 * @throws OciError STORAGE_*, also later
 */
export async function createReceipt(file: string): Promise<(receipt: Receipt) => Promise<void>> {
  const result: ResultFile = { file, what: 'receipt', flag: '--receipt' };
  await checkResultFile(result);
  return (receipt) => writeResultFile(result, formatReceipt(receipt));
}

function digestsIn(value: unknown, name: string): ReadonlySet<Digest> {
  const where = `repositories[${quote(name)}]`;
  const digests = asStrings(value, where).map((text) => {
    const digest = tryParseDigest(text);
    if (digest !== undefined) return digest;
    throw new OciError('MANIFEST_INVALID', `malformed: ${where} has ${quote(text)}, which is not a digest`);
  });
  return new Set(digests);
}

function otherVersion(found: unknown, shown: string): OciError {
  if (typeof found !== 'number') return new OciError('MANIFEST_INVALID', 'malformed: it has no version');
  return new OciError('UNSUPPORTED', `${shown} is a receipt of version ${found}; only ${version} is supported`, {
    hint: 'write it again with this version of ocictl, or use the version that wrote it',
  });
}
