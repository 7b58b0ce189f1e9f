import { checkArgument, checkFields, checkOptions } from '../../../model/check-arguments.ts';
import { type Digest, tryParseDigest } from '../../../model/digest.ts';
import { OciError } from '../../../model/errors.ts';
import type { Descriptor } from '../../../model/manifest/descriptor.ts';
import type { RepositoryName, Tag } from '../../../model/reference/reference.ts';
import { type Content, sizeMismatch, verifiedContent } from '../../content.ts';
import {
  type Connecting,
  connecting,
  type EndpointReport,
  type ExtensionKey,
  endpointReport,
  type PullLimits,
  pullLimits,
} from '../../extensions.ts';
import { checkRange } from '../../range.ts';
import type { GetBlobOptions, Registry, SignalOption } from '../../registry.ts';
import { Attempts, type FallbackEvent } from './attempts.ts';
import { Candidate, type FallbackEndpoint, type FallbackRequest } from './candidate.ts';
import { continuedContent } from './content.ts';

export interface FallbackOptions {
  /** Called when an endpoint failed and the next one is asked. */
  readonly onFallback?: (event: FallbackEvent) => void;
}

/**
 * One registry over several: mirrors, then origins, in the given order.
 *
 * A read moves on from a mirror after any error, except a cancellation or an image that no endpoint could serve; from an
 * origin if it cannot be reached, answers 5xx or is not a registry. What an origin says about the image is final. An
 * endpoint that could not be reached is asked again only if there is no other, and an endpoint that failed for a tag is
 * asked last for that image's manifests. Blobs are read from the endpoint that served the last manifest, if it has them, after mirrors that were not asked for its tag; a
 * blob that breaks in the middle is continued from the next endpoint. Writes and deletes go to the first origin that
 * answers.
 *
 * The error has the code of a final answer, otherwise that of the origin: what could not be asked may have the image. Its
 * message names every endpoint, the one that knew most first, and `detail.tried` has their own messages.
 */
export function fallback(endpoints: readonly FallbackEndpoint[], options: FallbackOptions = {}): Registry {
  checkArgument('fallback', 'the list of endpoints', endpoints, 'array');
  for (const each of endpoints)
    checkFields('fallback', 'an endpoint', each, { name: 'string', kind: 'string', open: 'function' });
  checkOptions('fallback', options, { onFallback: 'function' });
  const candidates = endpoints.map((endpoint) => new Candidate(endpoint));
  const origins = candidates.filter(({ endpoint }) => endpoint.kind === 'origin');
  const [main] = [...origins, ...candidates];
  if (main === undefined) throw new OciError('INTERNAL', 'no endpoint to ask');
  const { onFallback } = options;
  let served: Candidate | undefined;
  let answering: Registry | undefined;
  let writable: Candidate | undefined;
  let finding: Promise<Candidate> | undefined;
  const lacking = new Set<Candidate>();

  const ordered = ({ kind, reference }: FallbackRequest): readonly Candidate[] => {
    if (kind === 'blob' && served) {
      // A mirror for digests alone was not asked for the tag, so it lacks nothing.
      const unasked = candidates.slice(0, candidates.indexOf(served)).filter((candidate) => !lacking.has(candidate));
      return [...new Set([...unasked, served, ...candidates])];
    }
    if (kind !== 'manifest' || tryParseDigest(reference) === undefined) return candidates;
    return [...candidates.filter((candidate) => !lacking.has(candidate)), ...lacking];
  };
  const attempt = (request: FallbackRequest, opts: SignalOption | undefined, subject?: string): Attempts => {
    const willing = ordered(request).filter(({ endpoint }) => !endpoint.skipWhen?.(request));
    return new Attempts(willing, { signal: opts?.signal, onFallback, subject });
  };
  const manifest = <T>(
    repo: RepositoryName,
    reference: Tag | Digest,
    opts: SignalOption | undefined,
    ask: (registry: Registry, candidate: Candidate) => Promise<T>,
  ): Promise<T> =>
    attempt({ kind: 'manifest', reference }, opts, nameOf(repo, reference)).first(async (registry, candidate) => {
      try {
        const found = await ask(registry, candidate);
        served = candidate;
        answering = registry;
        lacking.delete(candidate);
        return found;
      } catch (error) {
        lacking.add(candidate);
        throw error;
      }
    });
  const findOrigin = (opts: SignalOption | undefined): Promise<Candidate> =>
    new Attempts(origins, { signal: opts?.signal, onFallback }).first(async (registry, candidate) => {
      await registry.ping(opts);
      return candidate;
    });
  // The origin that a ping would find first: it has just answered something else.
  const answeringOrigin = (): Candidate | undefined => {
    const first = origins.find(({ unreachable }) => unreachable === undefined);
    return first?.works ? first : undefined;
  };
  // All first writes share one search. If the caller that started it gives up, the next caller starts another.
  const writableOrigin = async (opts: SignalOption | undefined): Promise<Candidate> => {
    writable ??= answeringOrigin();
    while (!writable) {
      const isMine = finding === undefined;
      finding ??= findOrigin(opts).finally(() => {
        finding = undefined;
      });
      try {
        writable = await finding;
      } catch (error) {
        opts?.signal?.throwIfAborted();
        if (isMine) throw error;
      }
    }
    return writable;
  };
  const write = async <T>(
    opts: SignalOption | undefined,
    operation: (registry: Registry) => Promise<T>,
  ): Promise<T> => {
    const origin = await writableOrigin(opts);
    return await origin.ask(operation);
  };
  const list = async function* <T>(
    opts: SignalOption | undefined,
    subject: string | undefined,
    open: (registry: Registry) => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    // After its first entry the list is read from that endpoint only: parts of two lists cannot be joined.
    const { entries, first } = await attempt({ kind: 'list' }, opts, subject).first(async (registry) => {
      const iterator = open(registry)[Symbol.asyncIterator]();
      return { entries: iterator, first: await iterator.next() };
    });
    try {
      for (let next = first; !next.done; next = await entries.next()) yield next.value;
    } finally {
      await entries.return?.();
    }
  };
  const report: EndpointReport = { servedBy: () => served?.endpoint.name, origin: () => served?.endpoint.origin };
  const withNext = (tell: (registry: Registry) => void): void => {
    const [next = main] = ordered({ kind: 'manifest' });
    // The request that follows meets the same error.
    if (next.unreachable === undefined)
      next
        .open()
        .then(tell)
        .catch(() => {});
  };
  const ahead: Connecting = {
    open: (count) => withNext((registry) => registry.extension(connecting)?.open(count)),
    expectMany: () => withNext((registry) => registry.extension(connecting)?.expectMany()),
  };
  const limits: PullLimits = { last: () => answering?.extension(pullLimits)?.last() };
  const extensions = new Map<ExtensionKey<unknown>, unknown>([
    [endpointReport, report],
    [pullLimits, limits],
    [connecting, ahead],
  ]);

  return {
    name: main.endpoint.name,
    // Other capabilities belong to a single endpoint.
    extension: <T>(key: ExtensionKey<T>) => extensions.get(key) as T | undefined,
    ping: (opts) =>
      new Attempts(origins.length > 0 ? origins : candidates, { signal: opts?.signal, onFallback }).first((registry) =>
        registry.ping(opts),
      ),
    statManifest: (repo, reference, opts) =>
      manifest(repo, reference, opts, (registry, { endpoint }) =>
        // Mirrors often lack manifests.
        registry.statManifest(repo, reference, endpoint.kind === 'mirror' ? { ...opts, mayBeAbsent: true } : opts),
      ),
    getManifest: (repo, reference, opts) =>
      manifest(repo, reference, opts, (registry) => registry.getManifest(repo, reference, opts)),
    statBlob: (repo, digest, opts) =>
      attempt({ kind: 'blob', reference: digest }, opts, nameOf(repo, digest)).first((registry) =>
        registry.statBlob(repo, digest, opts),
      ),
    async getBlob(repo, blob, opts) {
      // An invalid range is invalid for every endpoint.
      if (opts?.range !== undefined) checkRange(opts.range, blob);
      const digest = typeof blob === 'string' ? blob : blob.digest;
      const content = await openBlob(
        attempt({ kind: 'blob', reference: digest }, opts, nameOf(repo, digest)),
        repo,
        blob,
        opts,
      );
      const verify = opts?.range === undefined && opts?.verify !== false;
      return verify ? await verifiedContent(content) : content;
    },
    repositories: (opts) => list(opts, undefined, (registry) => registry.repositories(opts)),
    tags: (repo, opts) => list(opts, `repository ${repo}`, (registry) => registry.tags(repo, opts)),
    referrers: (repo, digest, opts) =>
      list(opts, nameOf(repo, digest), (registry) => registry.referrers(repo, digest, opts)),
    pushBlob: (repo, descriptor, source, opts) => write(opts, (r) => r.pushBlob(repo, descriptor, source, opts)),
    startUpload: (repo, opts) => write(opts, (r) => r.startUpload(repo, opts)),
    resumeUpload: (repo, id, opts) => write(opts, (r) => r.resumeUpload(repo, id, opts)),
    mountBlob: (repo, digest, opts) => write(opts, (r) => r.mountBlob(repo, digest, opts)),
    pushManifest: (repo, manifest, opts) => write(opts, (r) => r.pushManifest(repo, manifest, opts)),
    deleteBlob: (repo, digest, opts) => write(opts, (r) => r.deleteBlob(repo, digest, opts)),
    deleteManifest: (repo, digest, opts) => write(opts, (r) => r.deleteManifest(repo, digest, opts)),
    deleteTag: (repo, tag, opts) => write(opts, (r) => r.deleteTag(repo, tag, opts)),
  };
}

function nameOf(repo: RepositoryName, reference: Tag | Digest): string {
  return `${repo}${tryParseDigest(reference) === undefined ? ':' : '@'}${reference}`;
}

// Each endpoint may serve only a part, which it cannot verify: the digest is checked over all parts.
async function openBlob(
  attempts: Attempts,
  repo: RepositoryName,
  blob: Digest | Descriptor,
  opts: GetBlobOptions = {},
): Promise<Content> {
  const from = (range: GetBlobOptions['range']): Promise<{ content: Content; serving: Candidate }> =>
    attempts.first(async (registry, serving) => {
      return { content: await registry.getBlob(repo, blob, { ...opts, range, verify: false }), serving };
    });
  const opened = await from(opts.range);
  const first = opened.content;
  let { serving } = opened;
  const { size } = first.descriptor;
  const range = { start: opts.range?.start ?? 0, end: Math.min(opts.range?.end ?? size, size) };
  return continuedContent(first, range, async (error, nextByte) => {
    serving.failed(error);
    attempts.failed(serving, error);
    const next = await from({ ...opts.range, start: nextByte });
    serving = next.serving;
    if (next.content.descriptor.size === size) return next.content;
    await next.content.cancel();
    throw sizeMismatch(first.descriptor, next.content.descriptor.size);
  });
}
