// A member that was away while the others sealed readings, and what it looks for when it is back.

import type { Block } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { DAY_S } from "../../../src/wire/envelope.js";
import type { SealedDisclosures } from "../../../src/wire/sealed-disclosure.js";
import type { SealedBlock } from "../../../tools/node/chain/ports.js";
import { putSealed, sealedDisclosures } from "../../../tools/node/chain/tables/sealed-disclosures.js";
import { missingDisclosures } from "../../../tools/node/disclosures/tables/missing-disclosures.js";
import { missingShares } from "../../../tools/node/disclosures/tables/missing-shares.js";
import { createWorld, greet, kid, reading, SERVICE, sealedBy, TIME_S, type World } from "./world.js";

export type Member = World["nodes"][number];
export const DAY = Math.floor(TIME_S / DAY_S);
/** Between two passes that find nothing. */
export const PAUSE_MS = 30_000;

/** The block that seals readings of an origin, as the sealer tells of it. */
export function blockOf(
  height: number,
  { ports }: Member,
  ...seqs: readonly number[]
): Pick<SealedBlock, "block" | "records"> {
  const records = seqs.map((seq) => {
    const { record } = reading(seq);
    return { bytes: record.stripped, hash: record.hash, meter: toHex(kid), seq, hides: true };
  });
  const batch = { origin: ports.self, records: records.map(({ bytes }) => bytes) };
  return { block: { chain: SERVICE, height, batches: [batch] } as unknown as Block, records };
}

export async function look(world: World, node: Member): Promise<void> {
  await node.disclosures.missing.tick();
  await world.settle();
}

export const sealedAt = ({ ports }: Member) => ports.store.range(sealedDisclosures, {}).map(({ row }) => row);
export const missingAt = ({ ports }: Member) => [
  ports.store.range(missingDisclosures, {}).length,
  ports.store.range(missingShares, {}).length,
];

/** Four members; the last is away while the first seals readings, which the others have on disk. */
export async function createAway(t: Parameters<typeof createWorld>[0], seqs: readonly number[]) {
  const world = await createWorld(t);
  await greet(world);
  const [origin, second, third, away] = world.nodes as [Member, Member, Member, Member];
  world.passes = (_from, to, frame) => (to === 3 ? undefined : frame);
  const sealed: SealedDisclosures[] = [];
  for (const seq of seqs) sealed.push(await sealedBy(origin, seq));
  await world.settle();
  for (const { ports } of [origin, second, third]) {
    await ports.store.write((writer) => {
      for (const each of sealed) putSealed(writer, { chain: SERVICE, origin: origin.ports.self }, each);
    });
  }
  for (const { disclosures } of world.nodes) await disclosures.missing.tick();
  world.passes = (_from, _to, frame) => frame;
  return { world, origin, second, third, away, sealed };
}

/** Takes the same records as its peers have, and looks until nothing comes any more. */
export async function comeBack(world: World, away: Member, origin: Member, seqs: readonly number[]): Promise<void> {
  away.disclosures.missing.sealed(blockOf(1, origin, ...seqs));
  for (let turn = 0; turn < 4; turn += 1) {
    world.now_ms += 2_500;
    await look(world, away);
  }
}
