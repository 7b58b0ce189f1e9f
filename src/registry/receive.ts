import type { Descriptor } from '../model/manifest/descriptor.ts';
import { unlessAborted } from '../model/signals/when-aborted.ts';
import { type BlobSource, type Content, type Sink, sizeMismatch } from './content.ts';

/** A sink that knows how many bytes it has accepted. */
interface MeasuredSink extends Sink {
  readonly size: number;
}

/**
 * Reads a blob's source from its first byte to its end into a sink, which never gets more bytes than the descriptor
 * says. When it has rejected, the sink gets nothing more: its file may be closed.
 *
 * @throws OciError SIZE_MISMATCH, the errors of the source and the sink, and the signal's reason, at once: a source may
 * hang without honouring the signal.
 */
export async function receiveBlob(
  descriptor: Descriptor,
  source: BlobSource,
  into: MeasuredSink,
  signal: AbortSignal | undefined,
): Promise<void> {
  const opening = source.open(0, { signal });
  let content: Content;
  try {
    content = await unlessAborted(opening, signal);
  } catch (error) {
    opening.then((late) => late.cancel()).catch(() => {});
    throw error;
  }
  let left = false;
  const sink: Sink = {
    write(chunk) {
      signal?.throwIfAborted();
      // Bytes past the size would fill the disk.
      const size = into.size + chunk.length;
      if (left || size > descriptor.size) throw sizeMismatch(descriptor, size);
      return into.write(chunk);
    },
  };
  try {
    await unlessAborted(content.drainTo(sink, { signal }), signal);
    if (into.size !== descriptor.size) throw sizeMismatch(descriptor, into.size);
  } catch (error) {
    left = true;
    content.cancel().catch(() => {});
    signal?.throwIfAborted();
    throw error;
  }
}
