// Fetches the sealed disclosures that this node lacks, from members of the chain: f + 1 of them at a time, others the next time. What nobody
// keeps any more, as its day is erased, it looks for no longer.

import { toHex } from "../../../../src/wire/bytes.js";
import { WireError } from "../../../../src/wire/error.js";
import { faults } from "../../../../src/wire/quorum.js";
import { decodeSealedList, encodeSealedList, type SealedDisclosures } from "../../../../src/wire/sealed-disclosure.js";
import { UNSENT_BYTES_MAX } from "../../chain/blocks/catch-up.js";
import { frameOf } from "../../chain/frame.js";
import { putSealed, sealedDisclosures } from "../../chain/tables/sealed-disclosures.js";
import { chainRange, type HashKey, hashKey, idIn, makerKey, numberIn, originKey } from "../../store/keys.js";
import type { FoundRow } from "../../store/store.js";
import { isErasedDay } from "../erased-days.js";
import { type DisclosuresPorts, FOUND_DISCLOSURES_FRAME, NEED_DISCLOSURES_FRAME, type Standing } from "../ports.js";
import { opensHere } from "../shares.js";
import { type MissingDisclosures, missingDisclosures } from "../tables/missing-disclosures.js";
import { missingShares } from "../tables/missing-shares.js";
import { createAlike, isVouched } from "./alike.js";
import { type AskedRecord, decodeAskedRecords, encodeAskedRecords, RECORDS_ASKED_MAX } from "./asking.js";
import { type LookedFor, withRoom } from "./looked-for.js";
import { type Missing, Pass } from "./passes.js";

/** Who was asked has so long for an answer. */
const ANSWER_MS = 2_000;
/** Bytes of ciphertext in one answer: what has no room is asked for again. */
const ANSWER_BYTES_MAX = 262_144;

interface Round {
  /** what was asked for, by its key as hex */
  readonly rows: Map<string, FoundRow<HashKey, MissingDisclosures>>;
  /** ids as hex of those who have not answered */
  readonly waiting: Set<string>;
  readonly since_ms: number;
}

export interface FetchingPorts extends DisclosuresPorts {
  /** A record's disclosures have come: those of an erased day go again. */
  onFetched(chain: number, meter: string, record: { readonly seq: number; readonly hash: Uint8Array }): void;
}

/** Of one chain. */
export class Fetching {
  readonly #ports: FetchingPorts;
  readonly #chain: number;
  readonly #pass: Pass<HashKey, MissingDisclosures>;
  readonly #alike = createAlike();
  readonly #onShares: (found: readonly LookedFor[]) => void;
  #round: Round | undefined;
  /** whom to ask first the next time */
  #turn = 0;

  /** `onShares` is told which envelopes were seen of which this node has no share. */
  constructor(ports: FetchingPorts, chain: number, onShares: (found: readonly LookedFor[]) => void) {
    this.#ports = ports;
    this.#chain = chain;
    this.#pass = new Pass(ports.store, missingDisclosures, chainRange(chain));
    this.#onShares = onShares;
  }

  get missing(): Missing {
    return this.#pass.missing;
  }

  noted(count: number): void {
    this.#pass.noted(count, this.#now_s());
  }

  hurry(): void {
    this.#pass.hurry();
  }

  /** Asks on, unless an answer is waited for. */
  async look(): Promise<void> {
    const { now_ms, store } = this.#ports;
    const round = this.#round;
    if (round !== undefined && round.waiting.size > 0 && now_ms() - round.since_ms < ANSWER_MS) return;
    this.#round = undefined;
    const peers = this.#nextPeers();
    if (peers.length === 0) return;
    const rows = this.#pass.next(RECORDS_ASKED_MAX, now_ms());
    if (rows.length === 0) return;
    const wanted = rows.filter(({ key, row }) => this.#isWanted(key, row));
    const settled = rows.filter((row) => !wanted.includes(row));
    if (wanted.length > 0) {
      const byKey = new Map(wanted.map((each) => [each.key.toString("hex"), each]));
      this.#round = { rows: byKey, waiting: new Set(peers), since_ms: now_ms() };
      const asked = wanted.map(({ key, row }): AskedRecord => {
        return { meter: idIn(key), number: numberIn(key), hash: row.hash, origin: row.origin };
      });
      const frame = frameOf(NEED_DISCLOSURES_FRAME, this.#chain, encodeAskedRecords(asked));
      for (const peer of peers) this.#ports.send(peer, frame);
    }
    if (settled.length === 0) return;
    this.#pass.found(settled.length);
    await store.write((writer) => {
      for (const { key } of settled) writer.delete(missingDisclosures, key);
    });
  }

  /** Takes an answer; throws a WireError where it is none. */
  async onFound(from: string, payload: Uint8Array): Promise<void> {
    const round = this.#round;
    if (round === undefined || !round.waiting.has(from)) {
      // It may only have come late.
      this.#ports.charge(from, "unwanted", payload.length);
      return;
    }
    const members = this.#ports.membersOf(this.#chain)?.members ?? [];
    const found = decodeSealedList(payload).flatMap((sealed) => this.#takenOf(round, from, sealed, members.length));
    await this.#keep(found);
    round.waiting.delete(from);
    if (round.waiting.size === 0 && this.#round === round) await this.look();
  }

  #takenOf(round: Round, from: string, sealed: SealedDisclosures, members: number) {
    const key = hashKey(this.#chain, sealed.kid, sealed.seq, sealed.recordHash);
    const asked = round.rows.get(key.toString("hex"));
    if (asked === undefined || toHex(asked.row.hash) !== toHex(sealed.recordHash)) return [];
    const word = { from, origin: toHex(asked.row.origin), needed: faults(members) + 1 };
    if (!isVouched(this.#alike, sealed, word)) return [];
    round.rows.delete(key.toString("hex"));
    return [{ ...asked, sealed }];
  }

  async #keep(found: readonly (FoundRow<HashKey, MissingDisclosures> & { sealed: SealedDisclosures })[]) {
    if (found.length === 0) return;
    const { store, onFetched } = this.#ports;
    const since_s = this.#now_s();
    const shares = new Map<string, LookedFor>();
    for (const { row, sealed } of found) {
      const place = { chain: this.#chain, meter: sealed.kid, day: row.day, id: sealed.envelope };
      const key = originKey(row.origin, hashKey(this.#chain, sealed.kid, row.day, sealed.envelope));
      const isKnown = store.get(missingShares, key) !== undefined || opensHere(this.#ports, place);
      if (!isKnown) shares.set(key.toString("hex"), { key, row: { ...place, since_s } });
    }
    const looked = withRoom(store, [...shares.values()]);
    await store.write((writer) => {
      for (const { key, row, sealed } of found) {
        putSealed(writer, { chain: this.#chain, origin: row.origin }, sealed);
        writer.delete(missingDisclosures, key);
      }
      for (const { key, row } of looked) writer.put(missingShares, key, row);
    });
    this.#pass.found(found.length);
    if (looked.length > 0) this.#onShares(looked);
    for (const { sealed } of found) {
      onFetched(this.#chain, toHex(sealed.kid), { seq: sealed.seq, hash: sealed.recordHash });
    }
  }

  #isWanted(key: HashKey, { day, origin }: MissingDisclosures): boolean {
    const { store } = this.#ports;
    if (store.get(sealedDisclosures, makerKey(key, origin)) !== undefined) return false;
    return !isErasedDay(store, this.#chain, toHex(idIn(key)), day);
  }

  /** f + 1 members that can be reached, others than the last time; none where this node is no member. */
  #nextPeers(): string[] {
    const peers = reachableMembers(this.#ports, this.#chain);
    if (peers.length === 0) return [];
    const needed = Math.min(peers.length, faults(this.#ports.membersOf(this.#chain)!.members.length) + 1);
    const first = this.#turn % peers.length;
    this.#turn = first + needed;
    return [...peers.slice(first), ...peers.slice(0, first)].slice(0, needed);
  }

  #now_s(): number {
    return Math.floor(this.#ports.now_ms() / 1_000);
  }
}

/** Ids of the other members that are connected; none where this node is no member. */
export function reachableMembers({ membersOf, connected, self }: DisclosuresPorts, chain: number): string[] {
  const members = membersOf(chain)?.members ?? [];
  const own = toHex(self);
  if (!members.includes(own)) return [];
  const reachable = connected();
  return members.filter((member) => member !== own && reachable.includes(member));
}

/** Answers a member that asks, with what is here; one frame, however much that is. Throws a WireError. */
export function serveDisclosures(
  ports: DisclosuresPorts,
  { from, chain, payload }: { readonly from: string; readonly chain: number; readonly payload: Uint8Array },
): void {
  const { store, membersOf, send, charge, unsent_bytes } = ports;
  const asked = decodeAskedRecords(payload);
  assertMember(membersOf(chain), from);
  if (unsent_bytes(from) > UNSENT_BYTES_MAX) return charge(from, "unserved", 1);
  const found: SealedDisclosures[] = [];
  let bytes = 0;
  for (const { meter, number, hash, origin } of asked) {
    const sealed = store.get(sealedDisclosures, makerKey(hashKey(chain, meter, number, hash), origin));
    if (sealed === undefined) continue;
    found.push(sealed);
    bytes += sealed.ciphertext.length;
    if (bytes >= ANSWER_BYTES_MAX) break;
  }
  charge(from, "record", asked.length);
  charge(from, "served", bytes);
  send(from, frameOf(FOUND_DISCLOSURES_FRAME, chain, encodeSealedList(found)));
}

/** Others are told nothing of what a chain hides. Throws a WireError: it may be of another height. */
export function assertMember(standing: Standing | undefined, node: string): void {
  if (standing?.members.includes(node)) return;
  throw new WireError("untimely", `node ${node} asks for what a chain hides, of which it is no member here`);
}
