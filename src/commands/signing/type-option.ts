import type { ShortName } from '../../trust/formats/predicate-types.ts';
import { value } from '../command-line/command.ts';

/** cosign's short names, as the trust layer has them, which is loaded when the command runs. */
const shortNames: readonly ShortName[] = [
  ...(['slsaprovenance', 'slsaprovenance02', 'slsaprovenance1', 'spdx', 'spdxjson', 'cyclonedx'] as const),
  ...(['link', 'vuln', 'openvex', 'custom'] as const),
];

/** Of commands about attestations. */
export const typeOption = value('--type <type>', `What is attested, or a URI: ${shortNames.join(', ')} (default)`, {
  choices: shortNames,
});

export const defaultType: ShortName = 'custom';
