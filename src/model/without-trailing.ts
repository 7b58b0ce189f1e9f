/**
 * The text without `character` at its end. A loop, because `replace(/x+$/)` tries every run of it in the text: quadratic.
 */
export function withoutTrailing(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end -= 1;
  return text.slice(0, end);
}
