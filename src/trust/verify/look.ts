/** One look at what is said of an image, and what it may cost: anybody who may push can add to it. */
import { setTimeout } from 'node:timers/promises';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { readContent } from '../../registry/content.ts';
import type { VerifyRequest } from './verdict.ts';

/** For errors about signatures and attestations that are too many to look at. */
export const tooManyHint =
  'the registry holds more of them than anybody needs: delete what is not yours, as ocictl discover lists it';

/** What is read of one image's signatures and attestations in all. */
const maxLookBytes = 256 * 1024 * 1024;
const maxLookMs = 10 * 60_000;

export interface LookLimits {
  readonly bytes?: number | undefined;
  readonly ms?: number | undefined;
}

/** A request whose reads are counted. */
export interface Look extends VerifyRequest {
  readonly budget: ReadBudget;
}

/** Bytes that may still be read. */
export class ReadBudget {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes = maxLookBytes) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Counts a blob that is going to be read, as large as its descriptor says: a registry never gives more.
   *
   * @param maxBytes A larger one is not read.
   * @throws OciError TOO_LARGE for the look as a whole: what is left may be what counts, so it is not said that nothing does.
   */
  count({ size }: Descriptor, maxBytes: number): void {
    if (size <= maxBytes) this.#bytes += size;
    if (this.#bytes <= this.#maxBytes) return;
    throw new OciError('TOO_LARGE', `signatures and attestations of one image have more than ${this.#maxBytes} bytes`, {
      hint: tooManyHint,
    });
  }
}

/** Reads a blob that was counted. @throws OciError TOO_LARGE before anything of it is read */
export async function readSaid(
  { registry, repo, signal }: Omit<VerifyRequest, 'rules'>,
  blob: Descriptor,
  maxBytes: number,
): Promise<Uint8Array> {
  if (blob.size > maxBytes) {
    throw new OciError('TOO_LARGE', `blob ${blob.digest} is larger than the ${maxBytes} bytes allowed`);
  }
  return await readContent(await registry.getBlob(repo, blob, { signal }), maxBytes);
}

/** Looks, and ends if that takes too long. @throws OciError TIMEOUT; what looking throws */
export async function lookWithin<T>(
  request: VerifyRequest,
  { bytes, ms = maxLookMs }: LookLimits,
  run: (look: Look) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const late = new OciError(
    'TIMEOUT',
    `signatures of ${request.digest} could not be read within ${ms / 1000} seconds`,
    {
      hint: 'the registry is slow, or holds more of them than anybody needs: ocictl discover lists them',
    },
  );
  const [stop, signal] = [new AbortController(), end.signal];
  const waiting = setTimeout(ms, undefined, { signal: stop.signal }).then(
    () => end.abort(late),
    () => {},
  );
  try {
    const given = request.signal ? AbortSignal.any([request.signal, signal]) : signal;
    return await run({ ...request, signal: given, budget: new ReadBudget(bytes) });
  } finally {
    stop.abort();
    await waiting;
  }
}
