import type { Descriptor } from '../model/manifest/descriptor.ts';
import { bufferBytes, giveBuffer, takeBuffer } from './buffers.ts';
import type { FileReader } from './file-reader.ts';

/** The sink of `registry`, which `files` may not import. */
interface Sink {
  write(chunk: Uint8Array): Promise<void>;
}

interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}

/** The content of `registry`, which `files` may not import. */
interface FileContent extends AsyncIterable<Uint8Array> {
  readonly descriptor: Descriptor;
  drainTo(sink: Sink, opts?: SignalOption): Promise<void>;
  cancel(): Promise<void>;
}

/** Bytes in each chunk that an iterator yields. The caller keeps the chunk, so its buffer cannot be reused. */
const chunkBytes = 256 * 1024;

/** Up to this size a file is read into a buffer of its own size: the few shared buffers are better used for large files. */
const smallBytes = 64 * 1024;

/** Content of an open file. The file is closed at the end, on an error and on cancel. */
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

/** Writes the rest of a file into a sink. The file stays open. */
export async function drainFile(file: FileReader, sink: Sink, signals: Signals): Promise<void> {
  if (file.drainTo !== undefined) return await drainUncopied(file.drainTo.bind(file), sink, signals);
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

async function drainUncopied(drain: (sink: Sink) => Promise<void>, sink: Sink, signals: Signals): Promise<void> {
  const stop = (): void => {
    for (const signal of signals) signal?.throwIfAborted();
  };
  stop();
  await drain({
    write(piece) {
      stop();
      return sink.write(piece);
    },
  });
  stop();
}

// The next piece is read while the sink handles this one.
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
