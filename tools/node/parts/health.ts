// A part of a node: what is measured of sealed blocks, by which its health is judged.

import type { Part } from "../part.js";

export const healthPart: Part = {
  name: "health",
  create: ({ health, metrics }) => ({
    onSealed({ head, sealing_ms }, waited_ms) {
      for (const wait_ms of waited_ms) metrics.sealing.observe(wait_ms / 1000);
      health.onBlock({ time_ms: head.time_ms, sealing_ms });
    },
    stop: () => health.stop(),
  }),
};
