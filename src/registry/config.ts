import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import { readContent } from './content.ts';
import type { Registry, SignalOption } from './registry.ts';

/** The largest config that is read, in bytes: the same limit as for a manifest. */
const maxConfigBytes = 4 * 1024 * 1024;

/** The exact bytes of an image's or artifact's config. @throws OciError TOO_LARGE; as {@link Registry.getBlob}. */
export async function readConfig(
  registry: Registry,
  repo: RepositoryName,
  config: Descriptor,
  { signal }: SignalOption = {},
): Promise<Uint8Array> {
  const { digest, size } = config;
  if (size > maxConfigBytes) {
    throw new OciError(
      'TOO_LARGE',
      `config ${digest} has ${size} bytes, more than the ${maxConfigBytes} that are read`,
    );
  }
  return readContent(await registry.getBlob(repo, config, { signal }), maxConfigBytes);
}
