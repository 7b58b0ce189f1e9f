/** Why a signature does not count, in words for people. Never an error of a command by itself. */
export class InvalidSignature extends Error {}

/** @throws InvalidSignature for bytes that are not UTF-8 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InvalidSignature('its content is not text');
  }
}
