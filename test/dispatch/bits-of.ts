// A load flow as texts of whole numbers: each real one times 2^100, which leaves out no bit of a voltage or a current.

import type { LoadFlow } from "../../tools/dispatch/load-flow.js";

function bits(value: number): string {
  let scaled = value;
  for (let turn = 0; turn < 100; turn += 1) scaled *= 2;
  return String(BigInt(Math.trunc(scaled)));
}

export function bitsOf(flow: LoadFlow) {
  if (flow.type !== "solved") return { type: flow.type, voltages: [], currents: [] };
  return {
    type: flow.type,
    voltages: flow.voltages.map(({ re, im }) => [bits(re), bits(im)]),
    currents: flow.flows.map(({ from, to }) => [bits(from), bits(to)]),
  };
}
