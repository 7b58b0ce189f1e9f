import type { InputFile } from '../../app/user-files.ts';
import { OciError } from '../../model/errors.ts';
import type { SignalOption } from '../../registry/registry.ts';

/** Reads a file of which the size is bounded. @param what What it should be: `manifest`. @throws OciError TOO_LARGE, STORAGE_* */
export async function readWhole(
  input: InputFile,
  { maxBytes, what, signal }: SignalOption & { readonly maxBytes: number; readonly what: string },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input.read({ signal })) {
    size += chunk.length;
    if (size > maxBytes)
      throw new OciError('TOO_LARGE', `${input.name} has more than ${maxBytes} bytes: it is no ${what}`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
