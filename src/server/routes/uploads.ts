import type { OutgoingHttpHeaders } from 'node:http';
import {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm as digestAlgorithmOf,
  isDigestAlgorithm,
  parseDigest,
} from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import { parseRepositoryName, type RepositoryName } from '../../model/reference/reference.ts';
import type { BlobWriter } from '../../registry/registry.ts';
import { formatUploadRange, headers as names, parseChunkRange } from '../../wire/headers.ts';
import { routePath } from '../../wire/routes.ts';
import { answer, answerError } from '../http/answers.ts';
import type { Exchange } from '../http/exchange.ts';

interface InRepository {
  readonly repo: RepositoryName;
}

interface OfSession extends InRepository {
  readonly id: string;
}

/**
 * `POST /v2/<name>/blobs/uploads/`: opens a session. With `?digest=` the body is the whole blob; with `?mount=` the
 * blob is mounted from another repository if possible.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export async function postUpload(exchange: Exchange, { repo }: InRepository): Promise<void> {
  const { query } = exchange;
  const mount = query.get('mount');
  if (mount !== null) return mountBlob(exchange, repo, parseDigest(mount));
  const digest = query.get('digest');
  if (digest !== null) return postBlob(exchange, repo, parseDigest(digest));
  const digestAlgorithm = readAlgorithm(query.get('digest-algorithm'));
  const writer = await exchange.registry.startUpload(repo, { digestAlgorithm, signal: exchange.signal });
  await answerOpened(exchange, repo, writer);
}

/** `PATCH`: appends a chunk. 416 with the right offset if the chunk starts elsewhere. */
export async function patchUpload(exchange: Exchange, { repo, id }: OfSession): Promise<void> {
  const { fields, refusal } = await onSession(exchange, { repo, id }, (writer) => append(exchange, writer));
  if (refusal) await answerError(exchange, refusal, fields);
  else await answer(exchange, 202, fields);
}

/** `PUT ?digest=`: appends the rest, and turns the session into a blob. */
export async function putUpload(exchange: Exchange, { repo, id }: OfSession): Promise<void> {
  const text = exchange.query.get('digest');
  if (text === null) throw new OciError('DIGEST_INVALID', 'the digest of the blob is missing: add ?digest=');
  const digest = parseDigest(text);
  const complete = async (writer: BlobWriter): Promise<OciError | undefined> => {
    const refused = await append(exchange, writer);
    if (refused) return refused;
    await writer.commit({ digest }, { signal: exchange.signal });
    exchange.state.sessions.ended(repo, id);
    return undefined;
  };
  const { fields, refusal } = await onSession(exchange, { repo, id }, complete, digest);
  if (refusal) await answerError(exchange, refusal, fields);
  else await answerStored(exchange, repo, digest);
}

/** `GET`: the size of the session. */
export async function getUpload(exchange: Exchange, { repo, id }: OfSession): Promise<void> {
  const { fields } = await onSession(exchange, { repo, id }, async () => undefined);
  await answer(exchange, 204, fields);
}

/** `DELETE`: cancels the session. */
export async function deleteUpload(exchange: Exchange, { repo, id }: OfSession): Promise<void> {
  const { signal, registry } = exchange;
  const { sessions } = exchange.state;
  const cancel = async (writer: BlobWriter): Promise<void> => {
    await writer.cancel();
    sessions.ended(repo, id);
  };
  await sessions.use(repo, id, cancel, { signal, registry });
  await answer(exchange, 204);
}

// The response is sent after the session was released, because the client may send its next request at once.
async function onSession(
  exchange: Exchange,
  { repo, id }: OfSession,
  work: (writer: BlobWriter) => Promise<OciError | undefined>,
  digest?: Digest,
): Promise<{ fields: OutgoingHttpHeaders; refusal: OciError | undefined }> {
  const { signal, registry } = exchange;
  const run = async (writer: BlobWriter) => ({ writer, refusal: await work(writer) });
  const { sessions } = exchange.state;
  try {
    const { writer, refusal } = await sessions.use(repo, id, run, { signal, registry, digest });
    return { fields: fieldsOf(repo, id, writer), refusal };
  } catch (refusal) {
    if (!isOciError(refusal, 'RANGE_INVALID')) throw refusal;
    // Another process has continued the session: what it has now tells the client where to go on.
    const writer = await sessions.use(repo, id, async (found) => found, { signal, registry });
    return { fields: fieldsOf(repo, id, writer), refusal };
  }
}

async function mountBlob(exchange: Exchange, repo: RepositoryName, digest: Digest): Promise<void> {
  const { signal, registry } = exchange;
  const text = exchange.query.get('from');
  const from = text === null || text === '' ? undefined : parseRepositoryName(text);
  let mounted: Awaited<ReturnType<typeof registry.mountBlob>>;
  try {
    if (!exchange.mayMount) throw new OciError('BLOB_UNKNOWN', 'the source of the mount may not be read');
    mounted = await registry.mountBlob(repo, digest, { from, signal });
  } catch (error) {
    // If the source does not exist, the mount becomes an ordinary upload.
    if (!isOciError(error, 'BLOB_UNKNOWN', 'NAME_UNKNOWN')) throw error;
    mounted = await registry.startUpload(repo, { signal });
  }
  if ('commit' in mounted) await answerOpened(exchange, repo, mounted);
  else await answerStored(exchange, repo, digest);
}

async function postBlob(exchange: Exchange, repo: RepositoryName, digest: Digest): Promise<void> {
  const { signal } = exchange;
  const digestAlgorithm = digestAlgorithmOf(digest);
  const writer = await exchange.registry.startUpload(repo, { digestAlgorithm, digest, signal });
  try {
    await exchange.readBody((chunk) => writer.write(chunk, { signal }));
    await writer.commit({ digest }, { signal });
  } catch (error) {
    // The client does not know the session's ID, so nobody could continue it.
    await writer.cancel().catch(() => {});
    throw error;
  } finally {
    await writer[Symbol.asyncDispose]();
  }
  await answerStored(exchange, repo, digest);
}

/** @returns The error to answer if the chunk does not start at the end of the session. */
async function append(exchange: Exchange, writer: BlobWriter): Promise<OciError | undefined> {
  const { signal } = exchange;
  const header = exchange.header('content-range');
  if (header === undefined) {
    await exchange.readBody((chunk) => writer.write(chunk, { signal }));
    return undefined;
  }
  const range = parseChunkRange(header);
  if (range?.start !== writer.size) {
    return new OciError('RANGE_INVALID', `the session has ${writer.size} bytes: the next chunk must start there`);
  }
  const length = range.end - range.start + 1;
  if (exchange.contentLength !== undefined && exchange.contentLength !== length) throw lengthError(length);
  let taken = 0;
  await exchange.readBody((chunk) => {
    taken += chunk.length;
    if (taken > length) throw lengthError(length);
    return writer.write(chunk, { signal });
  });
  if (taken !== length) throw lengthError(length);
  return undefined;
}

async function answerOpened(exchange: Exchange, repo: RepositoryName, writer: BlobWriter): Promise<void> {
  const id = await exchange.state.sessions.add(repo, writer, exchange.context.remoteAddress);
  await answer(exchange, 202, fieldsOf(repo, id, writer));
}

function answerStored(exchange: Exchange, repo: RepositoryName, digest: Digest): Promise<void> {
  return answer(exchange, 201, {
    location: routePath({ name: 'blob', repo, digest }),
    [names.contentDigest]: digest,
  });
}

// The Location has no host, so that it is valid behind any proxy.
function fieldsOf(repo: RepositoryName, id: string, { size, chunkBytes }: BlobWriter): OutgoingHttpHeaders {
  return {
    location: routePath({ name: 'upload', repo, id }),
    range: formatUploadRange(size),
    [names.uploadUuid]: id,
    ...(chunkBytes > 0 && { [names.chunkMinLength]: chunkBytes }),
  };
}

function readAlgorithm(text: string | null): DigestAlgorithm | undefined {
  if (text === null || isDigestAlgorithm(text)) return text ?? undefined;
  throw new OciError('DIGEST_INVALID', 'unsupported digest algorithm');
}

function lengthError(length: number): OciError {
  return new OciError('SIZE_INVALID', `the body does not have the ${length} bytes announced in Content-Range`);
}
