/** zstd where Node has none (before 22.15): by an optional package, whose code is WebAssembly. */
import { Transform } from 'node:stream';
import { hasOptionalPackage, loadOptionalPackage } from '../../packaging/package-parts.ts';

/** The name of the package. */
export const zstdPackage = '@bokuweb/zstd-wasm';

/** The part of it that is used. */
interface Zstd {
  /** Reads its code. */
  init(): Promise<void>;
  /** @returns A frame that names the size of its content. */
  compress(bytes: Uint8Array, level: number): Uint8Array;
}

/** It compresses what is whole. Each part is a frame of its own, and a reader takes frames that follow each other for one stream. */
const frameBytes = 4 * 1024 * 1024;

let loading: Promise<Zstd> | undefined;

/** What makes streams that compress; undefined if the package is not installed. */
export async function zstdByPackage(): Promise<((level: number) => Transform) | undefined> {
  if (!hasOptionalPackage(zstdPackage)) return undefined;
  loading ??= load();
  const zstd = await loading;
  return (level) => framesOf(zstd, level);
}

async function load(): Promise<Zstd> {
  const zstd = loadOptionalPackage(zstdPackage) as Zstd;
  await zstd.init();
  return zstd;
}

function framesOf(zstd: Zstd, level: number): Transform {
  const part = Buffer.allocUnsafe(frameBytes);
  let [length, frames] = [0, 0];
  const frame = (): Uint8Array => {
    const compressed = zstd.compress(part.subarray(0, length), level);
    length = 0;
    frames += 1;
    return compressed;
  };
  return new Transform({
    transform(chunk: Buffer, _, done) {
      for (let taken = 0; taken < chunk.length; ) {
        const copied = chunk.copy(part, length, taken);
        taken += copied;
        length += copied;
        if (length === frameBytes) this.push(frame());
      }
      done();
    },
    flush(done) {
      // Of nothing, too, there is a frame.
      if (length > 0 || frames === 0) this.push(frame());
      done();
    },
  });
}
