// Day keys that this node has in memory as original node, and nowhere else: of more than there is room for, the one that was not used for
// longest is forgotten. What is forgotten is zeros.

import { toHex } from "../../../src/wire/bytes.js";
import {
  custodyInfo,
  openingThreshold,
  type SignedEnvelope,
  shareCommitment,
  signEnvelope,
} from "../../../src/wire/envelope.js";
import { faults } from "../../../src/wire/quorum.js";
import type { CustodyDirectory } from "./custody-directory.js";
import type { DisclosuresPorts } from "./ports.js";
import { placeKeyOf } from "./shares.js";
import { envelopes, type KeptShare } from "./tables/envelopes.js";

/** Of an envelope. */
const SALT_BYTES = 16;

export interface OpenKey {
  readonly key: Uint8Array;
  readonly envelope: SignedEnvelope;
  readonly shares: readonly KeptShare[];
  /** ids of all members when it was made */
  readonly members: string;
  readonly quorum: number;
  /** ids of those who keep their share, as hex */
  readonly kept: Set<string>;
  readonly made_ms: number;
  sent_ms: number;
  /** the key is zeros: nothing may be encrypted with it */
  isForgotten: boolean;
  /** those who wait for a quorum */
  waiting: (() => void)[];
}

/** Whose day a key is for. */
export interface MeterDay {
  readonly chain: number;
  readonly meter: Uint8Array;
  readonly day: number;
}

export class OpenKeys {
  readonly #most: number;
  /** by chain, meter and day; the one used last is last */
  readonly #open = new Map<string, OpenKey>();
  /** by id of the envelope, as hex */
  readonly #byEnvelope = new Map<string, OpenKey>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts as used. */
  use(name: string): OpenKey | undefined {
    const known = this.#open.get(name);
    if (known === undefined) return undefined;
    this.#open.delete(name);
    this.#open.set(name, known);
    return known;
  }

  ofEnvelope(id: Uint8Array): OpenKey | undefined {
    return this.#byEnvelope.get(toHex(id));
  }

  keep(name: string, made: OpenKey): void {
    this.forget(name);
    this.#open.set(name, made);
    this.#byEnvelope.set(toHex(made.envelope.id), made);
    if (this.#open.size > this.#most) this.forget(this.#open.keys().next().value!);
  }

  forget(name: string): void {
    const known = this.#open.get(name);
    if (known === undefined) return;
    this.#open.delete(name);
    this.#byEnvelope.delete(toHex(known.envelope.id));
    known.isForgotten = true;
    known.key.fill(0);
    for (const settle of known.waiting.splice(0)) settle();
  }

  /** By their names; a key may be forgotten meanwhile. */
  [Symbol.iterator](): IterableIterator<[string, OpenKey]> {
    return this.#open[Symbol.iterator]();
  }
}

/** A key with its envelope and its shares, which are on disk, sealed to their custodians. Resolves to the reason why there is none yet. */
export async function makeDayKey(
  { genesis, signer, self, ciphers, store, membersOf, now_ms }: DisclosuresPorts,
  directory: CustodyDirectory,
  { chain, meter, day }: MeterDay,
): Promise<OpenKey | string> {
  const standing = membersOf(chain);
  if (standing === undefined) return `chain ${chain} does not run here`;
  const { members, quorum, custodians: allowed } = standing;
  if (allowed.length < quorum) return `the policy lets only ${allowed.length} of ${members.length} members keep shares`;
  const known = directory.known(allowed);
  if (known.length < quorum) return `only ${known.length} of ${members.length} members have stated a custody key yet`;
  const key = ciphers.generateDayKey();
  const threshold = openingThreshold(known.length, faults(members.length));
  const shares = await ciphers.splitKey(key, known.length, threshold);
  const content = { chain, origin: self, meter, day, salt: ciphers.randomBytes(SALT_BYTES), threshold };
  const custodians = known.map(({ node }, index) => ({ node, commitment: shareCommitment(shares[index]!) }));
  const envelope = signEnvelope(genesis.hash, { ...content, custodians }, signer);
  const sealed = known.map(({ node, key: to }, index): KeptShare => {
    return { node, sealed: ciphers.sealTo(to, custodyInfo(envelope.id, node), shares[index]!) };
  });
  for (const share of shares) share.fill(0);
  await store.write((writer) => writer.put(envelopes, placeKeyOf(envelope), { bytes: envelope.bytes, shares: sealed }));
  return {
    ...{ key, envelope, quorum, kept: new Set([toHex(self)]), made_ms: now_ms() },
    ...{ shares: sealed, members: members.join(), sent_ms: 0, isForgotten: false, waiting: [] },
  };
}
