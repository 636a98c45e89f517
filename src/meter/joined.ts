// Pieces of a frame or of several frames, as one run of bytes.

/** One piece needs no copy. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  let length = 0;
  for (let index = 0; index < pieces.length; index++) length += pieces[index]!.length;
  const whole = new Uint8Array(length);
  let position = 0;
  for (let index = 0; index < pieces.length; index++) {
    whole.set(pieces[index]!, position);
    position += pieces[index]!.length;
  }
  return whole;
}
