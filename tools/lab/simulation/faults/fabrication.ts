// Messages between chains that no chain has sent, as a carrier hands them over. Some state extreme numbers.

import { fromHex } from "../../../../src/wire/bytes.js";
import { frameOf } from "../../../node/chain/frame.js";
import { MESSAGE_FRAME } from "../../../node/parts/messages/carrier.js";
import { fabricateCarried } from "../../rig/fabricated-message.js";
import { extremes } from "./extremes.js";
import type { Forger } from "./forgery.js";

/** A frame with a message for the chain; `isExtreme`: one of its numbers is. Undefined where there is no other chain. */
export function fabricatedMessage(forger: Forger, to: number, isExtreme: boolean): Uint8Array | undefined {
  const { genesis, membership, random, self } = forger;
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
    signatures: membership.current(service).length,
  };
  const extreme = isExtreme && { [random.pick(["height", "number", "index", "orderedAt"])]: random.pick(extremes) };
  const fabricator = { genesis, node: fromHex(self)!, random, sign: (bytes: Uint8Array) => forger.sign(bytes) };
  return frameOf(MESSAGE_FRAME, to, fabricateCarried(fabricator, { ...place, ...extreme }));
}
