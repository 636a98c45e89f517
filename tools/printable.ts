// Text of nodes, files and chains made fit to be printed: what would move a terminal's cursor, colour it, or turn the order of letters
// is written as an escape. JSON reads the same escape (RFC 8259, section 7).

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const TAB = 0x09;

/** C0 and C1 controls and DEL (ECMA-48), line separators and what changes the direction of text (UAX 9). */
function isControl(code: number): boolean {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  const isDirection = code === 0x061c || code === 0x200e || code === 0x200f || (code >= 0x202a && code <= 0x202e);
  return isDirection || code === 0x2028 || code === 0x2029 || (code >= 0x2066 && code <= 0x2069);
}

function escaped(text: string, isTaken: (code: number) => boolean): string {
  let out = "";
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (!isControl(code) || isTaken(code)) continue;
    out += `${text.slice(from, at)}\\u${code.toString(16).padStart(4, "0")}`;
    from = at + 1;
  }
  return out + text.slice(from);
}

/** A line, or a part of one: an end of line in it is an escape too, so that it forges no other line. */
export function printableLine(text: string): string {
  return escaped(text, (code) => code === TAB);
}

/** Text with its own ends of line. */
export function printableText(text: string): string {
  return escaped(text, (code) => code === TAB || code === LINE_FEED || code === CARRIAGE_RETURN);
}

/**
 * Text as a cell of comma-separated values (RFC 4180), quoted where it must be. What a spreadsheet would take for a formula stands behind
 * an apostrophe (OWASP, CSV injection); numbers stay as they are.
 */
export function csvCell(text: string): string {
  const shown = printableText(text);
  const isFormula = /^[=+\-@\t\r]/.test(shown) && !/^[+-]?\d+(\.\d+)?$/.test(shown);
  const cell = isFormula ? `'${shown}` : shown;
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
