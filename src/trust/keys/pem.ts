/** The armour of keys. Node reads most kinds by itself, but takes one kind for another: here a label says what a file is. */
import { fromBase64 } from '../../model/base64.ts';

interface PemBlock {
  /** What stands between `BEGIN` and the dashes: `PUBLIC KEY`. */
  readonly label: string;
  /** With its armour. */
  readonly text: string;
  /** Undefined if it is not base64, or has headers. */
  readonly bytes: Uint8Array | undefined;
}

const block = /^-----BEGIN ([A-Z0-9 ]{1,64})-----[ \t]*\r?\n([^-]*)-----END \1-----[ \t]*\r?$/gm;

/** The blocks of a text, in their order. @see https://www.rfc-editor.org/rfc/rfc7468 */
export function pemBlocks(text: string): readonly PemBlock[] {
  return [...text.matchAll(block)].map(([whole, label = '', body = '']) => ({
    label,
    text: whole,
    bytes: fromBase64(body.replace(/\s/g, '')),
  }));
}

export function writePem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
