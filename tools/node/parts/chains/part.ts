// A part of a node: its chains. It takes their frames, starts them, and tells them of orders that are sealed.

import { WireError } from "../../../../src/wire/error.js";
import { type FrameKind, frameByte, frameKinds } from "../../chain/frame.js";
import type { FrameRow, Part } from "../../part.js";
import type { RunningChains } from "./running-chains.js";

export const chainsPart: Part = {
  name: "chains",
  create: ({ running, links }) => ({
    frames: frameKinds.map((kind) => frameRowOf(running.chains, kind)),
    onSealed({ orders }) {
      if (orders.length === 0) return;
      running.onGoverned();
      links.to.onBans();
    },
    start: () => running.start(),
    stop: () => running.stop(),
  }),
};

function frameRowOf(chains: RunningChains["chains"], kind: FrameKind): FrameRow {
  return {
    byte: frameByte(kind),
    kind,
    verifications: 0,
    async take(from, service, payload) {
      const chain = chains.get(service);
      // An order may have added it, which this node has still to hear of.
      if (chain === undefined) throw new WireError("untimely", `chain ${service} does not run here`);
      await chain.onFrame(from, { kind, chain: service, payload });
      return undefined;
    },
  };
}
