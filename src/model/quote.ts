/** Control, bidirectional and invisible characters, and line ends: they can control a terminal or disguise text. */
export const hiddenCharacter = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Untrusted text in quotes, for a message. Control, bidirectional and invisible characters are escaped, so that it
 * cannot control the terminal or disguise itself. It is cut at `maxCharacters`.
 */
export function quote(text: string, maxCharacters = 160): string {
  const cut = text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text;
  return visible(JSON.stringify(cut));
}

/**
 * Untrusted text for a line of output. Control, bidirectional and invisible characters and line ends are escaped, so
 * that it cannot control the terminal or disguise itself.
 */
export function visible(text: string): string {
  return text.replace(hiddenCharacter, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
