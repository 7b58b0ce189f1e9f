import type { Descriptor } from '../model/manifest/descriptor.ts';
import { bufferBytes, giveBuffer, takeBuffer } from './buffers.ts';
import type { FileReader } from './file-reader.ts';

/** What `registry` calls a sink. */
interface Sink {
  write(chunk: Uint8Array): Promise<void>;
}

interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}

/** What `registry` calls content, which may not be named here: `files` knows no registries. */
interface FileContent extends AsyncIterable<Uint8Array> {
  readonly descriptor: Descriptor;
  drainTo(sink: Sink, opts?: SignalOption): Promise<void>;
  cancel(): Promise<void>;
}

/** Bytes in each chunk that an iterator yields; these belong to the caller, so they cannot be reused. */
const chunkBytes = 256 * 1024;

/** A file up to this size is read into a buffer of its own size: those that are kept are few, and better used for large ones. */
const smallBytes = 64 * 1024;

/** Content over an open file, which it closes at the end, on an error and on cancel. */
export function fileContent(descriptor: Descriptor, file: FileReader, { signal }: SignalOption = {}): FileContent {
  return {
    descriptor,
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          signal?.throwIfAborted();
          const chunk = Buffer.allocUnsafeSlow(chunkBytes);
          const size = await file.read(chunk);
          if (size === 0) return;
          yield chunk.subarray(0, size);
        }
      } finally {
        await file.close();
      }
    },
    async drainTo(sink, opts) {
      try {
        await drainFile(file, sink, [signal, opts?.signal]);
      } finally {
        await file.close();
      }
    },
    cancel: () => file.close(),
  };
}

type Signals = readonly (AbortSignal | undefined)[];

/** Writes what is left of a file into a sink, and leaves the file open. */
export async function drainFile(file: FileReader, sink: Sink, signals: Signals): Promise<void> {
  if (file.size > bufferBytes) return await drainLarge(file, sink, signals);
  const pooled = file.size > smallBytes;
  const buffer = pooled ? takeBuffer() : Buffer.allocUnsafeSlow(file.size);
  try {
    for (;;) {
      const size = await file.read(buffer);
      for (const signal of signals) signal?.throwIfAborted();
      if (size === 0) return;
      await sink.write(buffer.subarray(0, size));
    }
  } finally {
    if (pooled) giveBuffer(buffer);
  }
}

// The next piece is read while the sink is busy with this one.
async function drainLarge(file: FileReader, sink: Sink, signals: Signals): Promise<void> {
  let reading = takeBuffer();
  let other = takeBuffer();
  let read = file.read(reading);
  try {
    for (;;) {
      const size = await read;
      for (const signal of signals) signal?.throwIfAborted();
      if (size === 0) return;
      const piece = reading.subarray(0, size);
      [reading, other] = [other, reading];
      read = file.read(reading);
      read.catch(() => {}); // reported by the next turn, unless the sink fails first
      await sink.write(piece);
    }
  } finally {
    await read.catch(() => {});
    giveBuffer(reading);
    giveBuffer(other);
  }
}
