/** A key that may sign. */
import type { KeyObject } from 'node:crypto';
import { isObject } from '../../model/json.ts';
import { InvalidSignature } from '../formats/invalid.ts';
import type { Evidence } from '../formats/signed-bytes.ts';
import { isSignedBy } from '../keys/key-kind.ts';
import { keyHint } from '../keys/public-key.ts';
import { type Authority, NotSigner } from './authority.ts';

/** @param name In messages and results: the file of the key. */
export function keyAuthority(name: string, key: KeyObject): Authority {
  return {
    name,
    async check({ bytes, signature, evidence }) {
      if (evidence.kind === 'notation')
        throw new InvalidSignature('it is a signature of notation, which no key verifies');
      if (!isForKeys(evidence)) throw new InvalidSignature('a certificate verifies it, and not a key');
      if (!isSignedBy(key, bytes, signature)) throw new NotSigner();
      return { kind: 'key', name, id: keyHint(key) };
    },
  };
}

function isForKeys(evidence: Evidence): boolean {
  // Under a tag, cosign puts a certificate beside a signature by its key too.
  if (evidence.kind !== 'bundle') return true;
  const material = evidence.document['verificationMaterial'];
  return isObject(material) && isObject(material['publicKey']);
}
