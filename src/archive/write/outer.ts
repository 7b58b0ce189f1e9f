/** The compression around a whole archive. */
import { createGzip } from 'node:zlib';
import type { Sink } from '../../registry/content.ts';
import { zstdCompressor } from '../envelope/compress.ts';

/** `none` is the default: blobs are compressed already. */
export type Outer = 'none' | 'gzip' | 'zstd';

/** A sink that is told when it has everything. */
export interface EndingSink extends Sink {
  end?(): Promise<void>;
}

const chunkSize = 256 * 1024;

/** Compresses what goes into a sink. @throws OciError UNSUPPORTED for zstd where Node has none. */
export async function compressing(sink: EndingSink, outer: Outer): Promise<EndingSink> {
  if (outer === 'none') return sink;
  const compressor =
    outer === 'gzip'
      ? createGzip({ chunkSize })
      : (await zstdCompressor('send the archive to zstd: ocictl save IMAGE | zstd -o FILE'))();
  const pump = async (): Promise<void> => {
    for await (const chunk of compressor) await sink.write(chunk as Uint8Array);
  };
  const pumping = pump();
  // Ends a write that waits; whoever waits for the pump gets the error itself.
  pumping.catch(() => compressor.destroy());
  return {
    async write(chunk) {
      const written = new Promise<void>((resolve, reject) => {
        compressor.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
      await written.catch(async (error: unknown) => {
        await pumping;
        throw error;
      });
    },
    async end() {
      compressor.end();
      await pumping;
      await sink.end?.();
    },
  };
}
