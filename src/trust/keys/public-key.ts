/** Public keys that verify, as cosign and OpenSSL write them. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { checkKeyKind } from './key-kind.ts';
import { pemBlocks } from './pem.ts';

/**
 * Reads a public key.
 *
 * @param where The file, for messages.
 * @throws OciError USAGE for a file that holds no such key.
 */
export function readPublicKey(text: string, where: string): KeyObject {
  const [block, another] = pemBlocks(text);
  if (!block) throw notKey(where, 'holds no PEM');
  if (another) throw notKey(where, 'holds several keys or certificates');
  const { label } = block;
  if (label.includes('PRIVATE KEY')) throw notKey(where, 'is a private key, and verifying takes the public one');
  // From others Node would take the public key out.
  if (label !== 'PUBLIC KEY' && label !== 'RSA PUBLIC KEY') throw notKey(where, `holds ${quote(label)}`);
  let key: KeyObject;
  try {
    key = createPublicKey(block.text);
  } catch {
    throw notKey(where, 'is damaged');
  }
  checkKeyKind(key, where);
  return key;
}

/** In PEM, as cosign writes it. */
export function writePublicKey(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

/** How a bundle names a key: the SHA-256 of its DER, in base64. It is a hint, and proves nothing. */
export function keyHint(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}

function notKey(where: string, problem: string): OciError {
  return new OciError('USAGE', `${where} ${problem}`, {
    hint: 'name a public key in PEM, such as the cosign.pub that ocictl key generate writes',
  });
}
