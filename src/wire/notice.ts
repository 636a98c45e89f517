// What a temporary block carries besides records: credentials of meters that are new to the chain, orders of the authority, evidence
// against a member. Each is signed by whom it is of; here they are bytes with a kind.

import { CODE_MAX } from "./bounds.js";
import { type CborValue, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import { asArray, asBytes, asUint } from "./shape.js";

export const noticeKinds = { credential: 1, order: 2, evidence: 3 } as const;
export type NoticeKind = keyof typeof noticeKinds;

export interface Notice {
  readonly kind: NoticeKind;
  readonly bytes: Uint8Array;
}

/** The bytes of the notices of one kind, in their order. */
export function noticesOf(notices: readonly Notice[], kind: NoticeKind): Uint8Array[] {
  return notices.filter((notice) => notice.kind === kind).map(({ bytes }) => bytes);
}

export function encodeNotices(notices: readonly Notice[]): Uint8Array {
  return encodeCbor(noticesToArray(notices));
}

export function noticesToArray(notices: readonly Notice[]): CborValue {
  return notices.map(({ kind, bytes }) => [noticeKinds[kind], bytes]);
}

/** Reads [* [kind, bstr]]; what the byte strings hold is not looked at. */
export function noticesFromArray(value: CborValue | undefined, name: string): Notice[] {
  return asArray(value, name).map((item) => {
    const [kind, bytes] = asArray(item, `${name}: notice`, 2);
    return {
      kind: kindOf(asUint(kind, `${name}: notice kind`, CODE_MAX), name),
      bytes: asBytes(bytes, `${name}: notice`),
    };
  });
}

function kindOf(number: number, name: string): NoticeKind {
  for (const kind of ["credential", "order", "evidence"] as const) if (noticeKinds[kind] === number) return kind;
  throw new WireError("unsupported", `${name}: notice kind ${number} is not known`);
}
