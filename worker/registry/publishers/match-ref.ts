/**
 * Whether a branch's or tag's name is one that a rule allows: a `*` stands for any characters, slashes and none too.
 * Pure, and linear but for one star at a time: a pattern is somebody's word, and no regular expression.
 */
export function matchesRef(pattern: string, ref: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return pattern === ref;
  if (ref.length < first.length + last.length || !ref.startsWith(first) || !ref.endsWith(last)) return false;
  // Between them each piece where it comes first leaves the most for those behind it.
  const end = ref.length - last.length;
  let at = first.length;
  for (const piece of rest) {
    const found = ref.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
