/** JSON for people: members on lines of their own, lists of plain values on one line. Pure. */

export function prettyJson(text: string): string {
  const long = JSON.stringify(JSON.parse(text), null, 2);
  // No text in JSON holds a line break of its own: what is folded here is white space only.
  return long.replace(/\[\n[^[\]{}]*\]/g, (list) =>
    list.replace(/\n\s*/g, (_, at: number) => (at === 1 || list.slice(at).trim() === ']' ? '' : ' ')),
  );
}
