import { digestBytes } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { bytesSource } from '../../registry/content.ts';
import type { SignRequest } from './written.ts';

/** Stores bytes as a blob beside the image. */
export async function storeBlob(
  { registry, repo, signal }: SignRequest,
  mediaType: string,
  bytes: Uint8Array,
): Promise<Descriptor> {
  const descriptor = { mediaType, digest: await digestBytes(bytes), size: bytes.length };
  await registry.pushBlob(repo, descriptor, bytesSource(descriptor, bytes), { signal });
  return descriptor;
}
