// Groups of four in a pattern would need stack for each of them: the length is checked apart.
const grammar = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * The bytes that a text stands for; undefined if it is not base64 with padding. Node's decoder passes over what is not.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4648#section-4
 */
export function fromBase64(text: string): Uint8Array | undefined {
  return text.length % 4 === 0 && grammar.test(text) ? Buffer.from(text, 'base64') : undefined;
}
