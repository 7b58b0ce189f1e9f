/** Words that users write for other programs, or incompletely, and what they mean in ocictl. */
import { type ErrorCode, isOciError, OciError } from '../model/errors.ts';
import { looksLikeDomain, show } from '../model/reference/reference-grammar.ts';
import { isReference, kindOf } from './places.ts';

/** `place`: layouts and the local store are allowed too; `image`: only a name in a registry. */
type Wanted = 'place' | 'image';

/** Transports of skopeo and podman that ocictl does not support. Docker would read each as an image on Docker Hub. */
const foreign: Readonly<Record<string, (rest: string) => string>> = {
  'containers-storage': (rest) => `podman gives out what is in its store: podman save ${rest} | ocictl load`,
  containerd: (rest) => `containerd gives out what is in its store: ctr images export - ${rest} | ocictl load`,
  ocidir: (rest) => `a layout is written oci:${rest.replace(/^\/\//, '')}`,
  ocifile: (rest) => `a layout is written oci:${rest.replace(/^\/\//, '')}`,
  'oci-layout': (rest) => `a layout is written oci:${rest.replace(/^\/\//, '')}`,
};

/** A reference as skopeo and podman write it, `docker://REF`, without their transport. */
export function withoutTransport(word: string): string {
  return word.replace(/^docker:\/\//, '');
}

/**
 * Refuses words that would be read as an image of Docker Hub but were hardly meant as one: transports of other
 * programs, paths, and a registry without a repository. Full names such as `docker.io/library/dir:x` are accepted.
 *
 * @throws OciError REFERENCE_INVALID with what to write instead.
 */
export function refuseMisread(word: string, wanted: Wanted): void {
  const [, transport = '', rest = ''] = /^([a-z-]+):(.*)$/s.exec(word) ?? [];
  if (!isReference(word)) {
    if (wanted === 'place') return;
    throw refused(`${show(word)} is not a name in a registry`, kindOf(word).insteadOfName);
  }
  if (Object.hasOwn(foreign, transport)) {
    const hint = foreign[transport]?.(rest);
    throw refused(`${show(word)} is a transport of other programs, which ocictl does not support`, hint);
  }
  if (/^(?:~|\.{1,2})?(?:\/|$)/.test(word) && word !== '') {
    const hint = wanted === 'place' ? `write oci:${word} for an OCI layout` : `ocictl copy writes layouts: oci:${word}`;
    throw refused(`${show(word)} is a path, not a reference`, hint);
  }
  const host = registryAlone(word);
  if (host !== undefined)
    throw refused(`${show(word)} names a registry, but no repository in it`, `write ${host}/NAME`);
  if (wanted === 'place' && /^[^:@]+\/$/.test(word)) {
    throw refused(`${show(word)} is a path, not a reference`, `write oci:${word} for an OCI layout`);
  }
}

/** The registry that a word names; undefined if the word may have another meaning. */
export function registryAlone(word: string): string | undefined {
  const [, slashed] = /^([^/@]+)\/$/.exec(word) ?? [];
  if (slashed !== undefined) return looksLikeDomain(slashed) ? slashed : undefined;
  // Docker reads `localhost:5000` as an image of Docker Hub, but Docker Hub has no image of such a name.
  return /^(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|\[[0-9a-f:.]+\]):\d{2,5}$/i.test(word) ? word : undefined;
}

/** Whether an image could not be found or read. */
export function isUnfound(error: unknown): error is OciError {
  return isOciError(error) && unfound.has(error.code);
}

/**
 * Adds to a failure to find or read an image what its name may have meant.
 *
 * @param kept Those of the words that name an image in the local store, which was not asked.
 */
export function withMeaning(error: unknown, words: readonly string[], kept: readonly string[] = []): unknown {
  if (!isUnfound(error)) return error;
  const meant = words.flatMap((word) => meaningOf(word) ?? []);
  for (const word of kept) meant.push(`the local store has an image of this name: store:${word}`);
  if (meant.length === 0) return error;
  const { code, message, cause, detail, status, endpoint, retryAfterMs, retryable } = error;
  const hint = [...(error.hint === undefined ? [] : [error.hint]), ...meant].join('; ');
  return new OciError(code, message, { hint, cause, detail, status, endpoint, retryAfterMs, retryable });
}

const unfound: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'MANIFEST_UNKNOWN',
  'NAME_UNKNOWN',
  'UNAUTHORIZED',
  'DENIED',
  'NETWORK',
  'TIMEOUT',
]);

function meaningOf(word: string): string | undefined {
  if (/^[a-z0-9-]+:\d{4,5}$/.test(word) || /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}$/.test(word)) {
    return `${word} is read as an image of Docker Hub; in a registry of that name it is ${word}/NAME`;
  }
  if (/^(?:sha256:)?[0-9a-f]{12,64}$/.test(word)) return `an image ID of the local store is written store:${word}`;
  return undefined;
}

function refused(message: string, hint: string | undefined): OciError {
  return new OciError('REFERENCE_INVALID', `invalid reference: ${message}`, { hint });
}
