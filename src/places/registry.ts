import {
  familiarReference,
  formatReference,
  manifestReference,
  parseReference,
  type Reference,
  type Tag,
  withDefaultTag,
} from '../model/reference/reference.ts';
import type { Intent } from '../registry/intent.ts';
import { type Place, type PlaceKind, type PlaceRole, plainPlace, refuseDigestTarget } from './place.ts';

const intents = {
  source: 'pull',
  repository: 'pull',
  look: 'look',
  destination: 'push',
  removal: 'push',
} as const satisfies Readonly<Record<PlaceRole, Intent>>;

/** Repositories of registries: the kind of every word without a prefix. */
export const registryKind: PlaceKind = {
  prefix: '',
  help: { image: 'an image in a registry', repository: 'registries', side: 'registry references' },
  incomplete: 'never',
  own: false,
  hasRepository: true,
  async open(word, role, { remote }) {
    const written = parseReference(word);
    const reference = withDefaultTag(written);
    refuseDigestTarget(word, reference.digest, role);
    const registry = await remote(reference, intents[role]);
    const { domain, path } = reference;
    const at = (named: Reference, isNamed: boolean): Place => ({
      ...plainPlace,
      kind: registryKind,
      registry,
      repo: path,
      reference: manifestReference(named),
      tag: named.digest === undefined ? named.tag : undefined,
      named: isNamed,
      name: familiarReference(named),
      fullName: formatReference(named),
      identity: formatReference(named),
      repository: formatReference({ domain, path }),
      hosted: { domain, path },
      sparse: false,
      at: (tag: Tag) => at({ domain, path, tag }, true),
      mountFrom: async (target) => (target.domain === domain ? path : undefined),
    });
    return at(reference, written.tag !== undefined || written.digest !== undefined);
  },
};
