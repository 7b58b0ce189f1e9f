/** Options that several commands share, so that a flag word means one thing everywhere. */
import { flag, list } from './command.ts';

export const jsonOption = flag('--json', 'Print the result as JSON; a failure as JSON on stderr');

/** How registries are reached. */
export const serviceOptions = {
  registryMirrors: list('--registry-mirror <url>', 'Ask this mirror of Docker Hub first; may be repeated'),
  insecureRegistries: list('--insecure-registry <host>', 'Registry or CIDR that may use plain http or any certificate'),
};
