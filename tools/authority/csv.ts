// Rows of comma-separated values (RFC 4180).

/** A row with its end of line; a cell is quoted where it must be. */
export function csvRow(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\r\n`;
}
