import { fieldsOf } from '../documents/fields.ts';
import { parseJsonDocument } from '../documents/json-document.ts';
import { readServiceKeys, type ServiceKeys } from './service-keys.ts';

/**
 * Reads the keys of Docker's daemon.json that concern registries. Other keys are not checked.
 *
 * @throws OciError CONFIG_INVALID naming file and line, and the column of a syntax error.
 * @see https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
 */
export function parseDaemonJson(text: string, file: string): ServiceKeys {
  return readServiceKeys(fieldsOf(parseJsonDocument(text, file), file));
}
