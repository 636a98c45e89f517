// Envelopes whose shares are looked for, by the origin whose temporary block named them: a member that lies names no more than an honest
// one may, and none in the place of others'.

import { fromHex } from "../../../../src/wire/bytes.js";
import { chainRange, idKey, keyBehind, type OriginKey, originKey } from "../../store/keys.js";
import type { StoreReader } from "../../store/store.js";
import { ENVELOPES_OF_DAY_MAX } from "../envelope-limits.js";
import type { DisclosuresPorts } from "../ports.js";
import { type EnvelopePlace, placeKeyOf } from "../shares.js";
import { type MissingShare, missingShares } from "../tables/missing-shares.js";

export interface LookedFor {
  readonly key: OriginKey;
  readonly row: MissingShare;
}

/** Under which keys the envelope is looked for: its origin's, or a member's whose temporary block sealed the same record. */
export function lookedForAs(
  { store, membersOf }: Pick<DisclosuresPorts, "store" | "membersOf">,
  place: EnvelopePlace & { readonly origin: Uint8Array },
): OriginKey[] {
  if (store.range(missingShares, { ...chainRange(place.chain), limit: 1 }).length === 0) return [];
  const members = (membersOf(place.chain)?.members ?? []).map((id) => fromHex(id)!);
  const keys = [place.origin, ...members].map((origin) => originKey(origin, placeKeyOf(place)));
  const found = keys.filter((key) => store.get(missingShares, key) !== undefined);
  return [...new Map(found.map((key) => [key.toString("hex"), key])).values()];
}

/** Of these new ones those that there is room for: no custodian keeps more of an origin for one meter and day. */
export function withRoom(store: StoreReader, found: readonly LookedFor[]): LookedFor[] {
  const counts = new Map<string, number>();
  return found.filter(({ key }) => {
    const ofDay = key.subarray(0, -8);
    const name = ofDay.toString("hex");
    const range = { start: ofDay, end: Buffer.concat([ofDay, Buffer.alloc(9, 0xff)]), limit: ENVELOPES_OF_DAY_MAX };
    const count = counts.get(name) ?? store.range(missingShares, range).length;
    counts.set(name, count + 1);
    return count < ENVELOPES_OF_DAY_MAX;
  });
}

/** All that an origin has named on the chain. */
export function rangeOfOrigin(chain: number, origin: Uint8Array): { readonly start: Buffer; readonly end: Buffer } {
  const start = idKey(chain, origin);
  return { start, end: Buffer.concat([start, Buffer.alloc(24, 0xff)]) };
}

/** Ids of the nodes that have named any, ascending. */
export function originsIn(store: StoreReader, chain: number): Uint8Array[] {
  const origins: Uint8Array[] = [];
  let { start, end } = chainRange(chain);
  for (;;) {
    const [first] = store.range(missingShares, { start, end, limit: 1 });
    if (first === undefined) return origins;
    const origin = Uint8Array.from(first.key.subarray(2, 10));
    origins.push(origin);
    start = keyBehind(rangeOfOrigin(chain, origin).end);
  }
}
