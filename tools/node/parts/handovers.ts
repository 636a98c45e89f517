// A part of a node: members of a chain that change, for whom this node takes records from then on and what meters are shown of it.

import type { Part } from "../part.js";
import { servedServices } from "../services.js";

export const handoversPart: Part = {
  name: "handovers",
  create: (services) => ({
    onSealed({ block, handover }) {
      if (handover === undefined) return;
      services.introductions.onChange(block.chain);
      services.ingest.to.serve(servedServices(services));
    },
  }),
};
