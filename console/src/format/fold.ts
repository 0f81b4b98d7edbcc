/** Search keys: without diacritics, đ as d, lower case. */

export function fold(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .replace(/[đĐ]/g, 'd')
    .toLowerCase();
}

/** Every word of the (already folded) question stands somewhere in the text. */
export function matches(text: string, question: string): boolean {
  const folded = fold(text);
  return question.split(/\s+/).every((word) => folded.includes(word));
}
