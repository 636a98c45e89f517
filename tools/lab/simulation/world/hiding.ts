// What a life of a simulated node does with what readings hide: the node's own part for it, over the simulated disk, clock and links.

import { createDisclosures } from "../../../node/disclosures/disclosures.js";
import type { DisclosuresPorts } from "../../../node/disclosures/ports.js";
import { createStandings, type StandingsPorts } from "../../../node/disclosures/standings.js";
import type { AdmissionsPorts } from "../../../node/ingest/publication-ports.js";
import type { Receipts } from "../../../node/ingest/receipts.js";
import { framesOf, type RunningPart } from "../../../node/part.js";
import { disclosuresPart } from "../../../node/parts/disclosures/part.js";
import { createSimulatedCiphers, simulatedCustody } from "./ciphers.js";
import { simulatedVerify } from "./keys.js";
import type { LifePorts } from "./node-world.js";

export interface Hiding extends Pick<RunningPart, "onSealed" | "start" | "stop"> {
  readonly frames: ReturnType<typeof framesOf>;
  readonly seal: AdmissionsPorts["sealDisclosures"];
}

export interface HidingPorts
  extends StandingsPorts,
    Pick<DisclosuresPorts, "signer" | "store" | "log" | "send" | "charge" | "now_ms"> {
  readonly receipts: Receipts;
  setTimer(name: string, delay_ms: number, callback: () => void): void;
  clearTimer(name: string): void;
}

/** Where no meter of the run hides anything, nothing is said about it either. */
export const hidesNothing: Hiding = {
  frames: new Map(),
  seal: async () => ({ type: "unready", reason: "no meter of the world hides anything" }),
};

export function createHiding({ world, options, node, isOver, onFatal }: LifePorts, ports: HidingPorts): Hiding {
  const { timeline, genesis } = world;
  const { chains, setTimer, clearTimer, receipts, ...given } = ports;
  const { contractsOf: _contractsOf, ...standings } = createStandings(ports);
  let waits = 0;
  const disclosures = createDisclosures({
    ...{ ...given, ...standings, genesis, onFatal },
    self: options.member.id,
    custody: simulatedCustody(node.id),
    ciphers: createSimulatedCiphers(world.random),
    verify: simulatedVerify,
    connected: () => node.peers,
    unsent_bytes: () => 0,
    chains: () => [...chains.keys()],
    after(delay_ms, callback) {
      waits += 1;
      const name = `disclosures/wait ${waits}`;
      setTimer(name, delay_ms, callback);
      return () => clearTimer(name);
    },
    afterOthers: () =>
      new Promise((resolve) => {
        timeline.after(0, () => {
          if (!isOver()) resolve();
        });
      }),
  });
  const timers = {
    scope: (prefix: string) => ({
      set: (name: string, delay_ms: number, callback: () => void) => setTimer(`${prefix}/${name}`, delay_ms, callback),
      clear: (name: string) => clearTimer(`${prefix}/${name}`),
    }),
  };
  const part = disclosuresPart.create({ disclosures, receipts, chains, timers, onFatal, readersOf: () => undefined });
  return {
    ...part,
    frames: framesOf([part]),
    async seal(record) {
      const sealing = await disclosures.seal(record);
      if (sealing.type === "sealed" && !isOver()) world.onEncrypted(node, record, sealing.sealed);
      return sealing;
    },
  };
}
