// What src/wire/hex.ts exports, by Node's Buffer: the build puts it in that place. Every node names a meter for each record.

/** A view of the memory that was read from last: making one costs more than reading from it. */
let whole: Buffer = Buffer.alloc(0);

/** The bytes from `from` to before `to`, in lower case. */
export function hexAt(bytes: Uint8Array, from: number, to: number): string {
  if (whole.buffer !== bytes.buffer) whole = Buffer.from(bytes.buffer);
  return whole.toString("hex", bytes.byteOffset + from, bytes.byteOffset + to);
}
