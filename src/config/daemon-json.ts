import { fieldsOf } from './fields.ts';
import { parseJsonDocument } from './json-document.ts';
import type { Sourced } from './origin.ts';

/** The keys of Docker's daemon.json that concern registries; the daemon's other keys are not ours to judge. */
export interface DaemonJson {
  readonly registryMirrors: readonly Sourced<string>[];
  readonly insecureRegistries: readonly Sourced<string>[];
  readonly allowNondistributableArtifacts: readonly Sourced<string>[];
  readonly maxConcurrentDownloads: Sourced<number> | undefined;
  readonly maxConcurrentUploads: Sourced<number> | undefined;
  readonly maxDownloadAttempts: Sourced<number> | undefined;
}

/**
 * @throws OciError CONFIG_INVALID naming file and line, and for a fault of syntax the column.
 * @see https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
 */
export function parseDaemonJson(text: string, file: string): DaemonJson {
  const fields = fieldsOf(parseJsonDocument(text, file), file);
  return {
    registryMirrors: fields.strings('registry-mirrors'),
    insecureRegistries: fields.strings('insecure-registries'),
    allowNondistributableArtifacts: fields.strings('allow-nondistributable-artifacts'),
    maxConcurrentDownloads: fields.count('max-concurrent-downloads', 0),
    maxConcurrentUploads: fields.count('max-concurrent-uploads', 0),
    maxDownloadAttempts: fields.count('max-download-attempts', 1),
  };
}
