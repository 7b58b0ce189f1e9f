import { fieldsOf } from '../documents/fields.ts';
import { parseJsonDocument } from '../documents/json-document.ts';
import { readServiceKeys, type ServiceKeys } from './service-keys.ts';

/**
 * The keys of Docker's daemon.json that concern registries; the daemon's other keys are not ours to judge.
 *
 * @throws OciError CONFIG_INVALID naming file and line, and for a fault of syntax the column.
 * @see https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
 */
export function parseDaemonJson(text: string, file: string): ServiceKeys {
  return readServiceKeys(fieldsOf(parseJsonDocument(text, file), file));
}
