// Bytes as lowercase hex digits, for identifications and details.

/** Two digits a byte of `bytes` from `start` to before `end`. */
export function hexOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = "";
  for (let index = start; index < end; index++) text += bytes[index]!.toString(16).padStart(2, "0");
  return text;
}

/** `E47C` for a 16-bit checksum. */
export function hex4(value: number): string {
  return value.toString(16).toUpperCase().padStart(4, "0");
}
