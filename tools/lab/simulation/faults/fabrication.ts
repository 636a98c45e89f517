// Messages between chains that no chain has sent: their receipts lead to a header of this member's own making, which it alone has
// signed. They come as a carrier hands them over. Some state extreme numbers.

import { fromHex } from "../../../../src/wire/bytes.js";
import { encodeCbor } from "../../../../src/wire/cbor.js";
import { type Certificate, precommitBytes } from "../../../../src/wire/certificate.js";
import { entryToArray } from "../../../../src/wire/entry.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { encodeHeader, HEADER_VERSION, headerHash } from "../../../../src/wire/header.js";
import { leafHash, merkleLevels, rootOfLevels } from "../../../../src/wire/merkle.js";
import { encodeCarried } from "../../../../src/wire/message.js";
import { encodeReceipt } from "../../../../src/wire/receipt.js";
import { encodeValue } from "../../../../src/wire/value.js";
import { frameOf } from "../../../node/chain/frame.js";
import { MESSAGE_FRAME } from "../../../node/parts/messages/carrier.js";
import { HEARD } from "../../rig/contracts/generate.js";
import { extremes } from "./extremes.js";
import type { Forger } from "./forgery.js";

/** A frame with a message for the chain; `isExtreme`: one of its numbers is. Undefined where there is no other chain. */
export function fabricatedMessage(forger: Forger, to: number, isExtreme: boolean): Uint8Array | undefined {
  const { membership, random } = forger;
  const others = membership.chains.map(({ service }) => service).filter((service) => service !== to);
  if (others.length === 0) return undefined;
  const service = random.pick(others);
  const next = membership.contracts.messages.next(service, to);
  const place = {
    service,
    to,
    height: 1 + random.below(20),
    number: next + random.pick([0, 0, 1]),
    index: 0,
    orderedAt: 0,
  };
  const extreme = isExtreme && { [random.pick(["height", "number", "index", "orderedAt"])]: random.pick(extremes) };
  return frameOf(MESSAGE_FRAME, to, carriedOf(forger, { ...place, ...extreme }));
}

interface Fabricated {
  readonly service: number;
  readonly to: number;
  readonly height: number;
  readonly number: number;
  readonly index: number;
  readonly orderedAt: number;
}

/** As section 14 of PROTOCOL.md has it, but for the certificate, which is of one member alone. */
export function carriedOf(forger: Forger, { service, to, height, number, index, orderedAt }: Fabricated): Uint8Array {
  const { genesis, random } = forger;
  const entry = entryToArray({ kind: "operation", leaf: 1 });
  const body = encodeValue(["fabricated", 0, 0, 1]);
  const item = encodeCbor(["gs1/message", service, height, entry, index, "alpha", HEARD, body, to, number, 0]);
  const [recordHash, beside] = [sha256(item), leafHash(random.bytes(32))];
  const merkleRoot = rootOfLevels(merkleLevels([beside, leafHash(recordHash)]));
  const place = { version: HEADER_VERSION, previous: random.bytes(32), merkleRoot, time_s: 1_790_000_000 };
  const header = encodeHeader({ ...place, target: 0, nonce: 0 });
  const certificate = ownCertificate(forger, service, height, header);
  const shown = { network: genesis.network, chain: service, height, header, certificate };
  const receipt = encodeReceipt({ ...shown, recordHash, leaf: 1, size: 2, path: [beside] });
  return encodeCarried(item, receipt, orderedAt);
}

/** Its own signature, as often as a quorum wants signatures. */
function ownCertificate(forger: Forger, service: number, height: number, header: Uint8Array): Certificate {
  const { genesis, membership, self, sign } = forger;
  const node = fromHex(self)!;
  const signature = sign(precommitBytes(genesis.hash, service, height, 0, headerHash(header)));
  const signatures = membership.current(service).map(() => ({ node, signature }));
  return { round: 0, signatures };
}
