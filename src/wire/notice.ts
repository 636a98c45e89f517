// What a temporary block carries besides records: credentials of meters that are new to the chain, orders of the authority, evidence
// against a member, messages of other chains, and that something is due. Here they are bytes with a kind.

import { CODE_MAX, TIME_S_MAX } from "./bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import { asArray, asBytes, asUint } from "./shape.js";

export const noticeKinds = { credential: 1, order: 2, evidence: 3, message: 4, due: 5 } as const;
export type NoticeKind = keyof typeof noticeKinds;
const kinds = Object.keys(noticeKinds) as NoticeKind[];

export interface Notice {
  readonly kind: NoticeKind;
  readonly bytes: Uint8Array;
}

/** The bytes of the notices of one kind, in their order. */
export function noticesOf(notices: readonly Notice[], kind: NoticeKind): Uint8Array[] {
  return notices.filter((notice) => notice.kind === kind).map(({ bytes }) => bytes);
}

/** That something of the chain is due from this UTC second on, as a notice says it. */
export function encodeDue(time_s: number): Uint8Array {
  return encodeCbor(time_s);
}

/** Reads `encodeDue`; throws a WireError where it is malformed. */
export function decodeDue(bytes: Uint8Array): number {
  return asUint(decodeCbor(bytes, { size: 9, items: 1 }), "time that something is due", TIME_S_MAX);
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
  for (const kind of kinds) if (noticeKinds[kind] === number) return kind;
  throw new WireError("unsupported", `${name}: notice kind ${number} is not known`);
}
