/**
 * Contexts of the docker command: named daemons, with their certificates.
 *
 *     contexts/meta/SHA256-OF-NAME/meta.json
 *     contexts/tls/SHA256-OF-NAME/docker/{ca,cert,key}.pem
 *
 * @see https://docs.docker.com/engine/manage-resources/contexts/
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { quote } from '../../model/quote.ts';
import { configError } from '../documents/config-error.ts';
import { fieldsOf } from '../documents/fields.ts';
import { parseJsonDocument } from '../documents/json-document.ts';
import type { Origin } from '../origin.ts';
import { readSettingsFile } from '../settings-file.ts';

/** A context's daemon. */
interface DockerContext {
  /** `tcp://example.com:2376` */
  readonly host: string;
  readonly skipVerify: boolean;
  /** Where its certificates are, if it has some. */
  readonly tlsDirectory: string;
  /** The file that it is from. */
  readonly origin: Origin;
}

/**
 * Reads a context.
 *
 * @param configDir The directory of config.json.
 * @param chosen What chose it, for messages.
 * @throws OciError CONFIG_INVALID if there is none of this name, or its file is malformed.
 */
export async function readDockerContext(name: string, configDir: string, chosen: Origin): Promise<DockerContext> {
  const id = createHash('sha256').update(name).digest('hex');
  const file = join(configDir, 'contexts', 'meta', id, 'meta.json');
  const text = await readSettingsFile(file);
  if (text === undefined) {
    throw configError(
      chosen,
      `there is no Docker context ${quote(name)} in ${configDir}`,
      'docker context ls lists them; DOCKER_CONTEXT=default means none',
    );
  }
  const docker = fieldsOf(parseJsonDocument(text, file), file).object('Endpoints')?.object('docker');
  const host = docker?.string('Host');
  if (docker === undefined || host === undefined || host.value === '') {
    throw configError({ kind: 'file', name: file }, `the context ${quote(name)} names no Docker daemon`);
  }
  return {
    host: host.value,
    skipVerify: docker.boolean('SkipTLSVerify')?.value ?? false,
    tlsDirectory: join(configDir, 'contexts', 'tls', id, 'docker'),
    origin: host.origin,
  };
}
