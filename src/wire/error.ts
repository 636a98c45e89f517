// The one error of this folder: bytes that do not say what they should. `code` is stable, `message` says where and why.

export type WireErrorCode =
  /** larger, deeper or longer than the stated limit */
  | "limit"
  /** not CBOR, or not the one deterministic encoding of RFC 8949 section 4.2.1 */
  | "encoding"
  /** well encoded, but not the shape that the format asks for */
  | "shape"
  /** an algorithm, version or service that this version does not know */
  | "unsupported"
  /** a signature, hash or proof does not verify */
  | "unproven"
  /** right as far as it can be told here, for another time, other members or another chain than this node knows */
  | "untimely";

export class WireError extends Error {
  // Defined, not assigned: the prototype's own is read-only where it is in ROM.
  override readonly name = "WireError";
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
