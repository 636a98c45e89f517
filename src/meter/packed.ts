// Tables as text, ` NAME=ROW NAME=ROW `: a chip keeps them in ROM at a byte a character, where rows of objects take a slot a field.

/** What stands behind `name=` in the table; undefined where it has no such row. */
export function rowOf(table: string, name: string): string | undefined {
  const key = ` ${name}=`;
  const at = table.indexOf(key);
  if (at < 0) return undefined;
  const start = at + key.length;
  return table.slice(start, table.indexOf(" ", start));
}
