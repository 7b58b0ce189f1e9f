/** Control, bidirectional and invisible characters, and line ends: what writes to a terminal, or disguises text. */
export const hiddenCharacter = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Text from outside, in quotes, for a message: control, bidirectional and invisible characters are escaped so that it
 * cannot write to the terminal or disguise itself; cut at `maxCharacters`.
 */
export function quote(text: string, maxCharacters = 160): string {
  const cut = text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text;
  return visible(JSON.stringify(cut));
}

/**
 * Text from outside for a line of output: control, bidirectional and invisible characters, line ends too, are escaped so
 * that it cannot write to the terminal or disguise itself.
 */
export function visible(text: string): string {
  return text.replace(hiddenCharacter, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
