/** The text without every `character` at its end. `replace(/x+$/)` tries each run of them, also those in the middle. */
export function withoutTrailing(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end -= 1;
  return text.slice(0, end);
}
