/** The little markup of lessons: paragraphs, `machine text` and *emphasis*. Parts, not HTML: nothing of it is ever run. Pure. */

export interface Part {
  kind: 'text' | 'code' | 'em';
  text: string;
}

export function paragraphs(text: string): Part[][] {
  return text
    .split(/\n\s*\n/)
    .map((one) => one.trim())
    .filter(Boolean)
    .map((one) => parts(one.replace(/\s*\n\s*/g, ' ')));
}

export function parts(text: string): Part[] {
  const found: Part[] = [];
  for (const piece of text.split(/(`[^`]+`|\*[^*\s][^*]*\*)/)) {
    if (!piece) continue;
    if (piece.length > 2 && piece.startsWith('`') && piece.endsWith('`')) found.push({ kind: 'code', text: piece.slice(1, -1) });
    else if (piece.length > 2 && piece.startsWith('*') && piece.endsWith('*')) found.push({ kind: 'em', text: piece.slice(1, -1) });
    else found.push({ kind: 'text', text: piece });
  }
  return found;
}
