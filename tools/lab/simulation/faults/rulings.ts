// What the authority of a simulation orders of meters: it suspends some, resumes them, revokes or ends others. Those that it rules keep their
// records themselves, as a meter does: no node's word holds for what is suspended meanwhile.

import { SEQ_MAX } from "../../../../src/wire/bounds.js";
import { fromHex, toHex } from "../../../../src/wire/bytes.js";
import type { Action } from "../../../../src/wire/order.js";
import type { Random } from "../../rig/random.js";
import type { BlockChecks } from "../checks/blocks.js";
import type { Membership } from "../checks/membership.js";
import type { SimulatedMeter } from "../world/meter.js";

export interface RulingFaults {
  /** An action to order next, where there is one; `left` rulings may still be drawn. */
  draw(): Action | undefined;
  /** The resumption of all that is suspended, where anything is. */
  resume(): Action | undefined;
  /** The action is issued. */
  onIssued(action: Action): void;
}

export interface RulingPorts {
  readonly random: Random;
  readonly meters: readonly SimulatedMeter[];
  readonly membership: Membership;
  readonly blockChecks: BlockChecks;
  /** half of those that would be suspended are revoked */
  readonly revokes: boolean;
}

export function createRulingFaults({ random, meters, membership, blockChecks, revokes }: RulingPorts): RulingFaults {
  const { standings } = membership;

  const patient = () => meters.filter((meter) => meter.isPatient);

  const suspendedIds = () =>
    patient()
      .map(({ id }) => id)
      .filter((id) => standings.last(id) === "suspended")
      .sort();

  const resume = (): Action | undefined => {
    const ids = suspendedIds();
    return ids.length === 0 ? undefined : { type: "resume", meters: ids.map((id) => fromHex(id)!) };
  };

  return {
    resume,
    draw() {
      if (random.chance(0.4)) {
        const action = resume();
        if (action !== undefined) return action;
      }
      const good = patient().filter(({ id }) => standings.last(id) === "good");
      if (good.length === 0) return undefined;
      const meter = random.pick(good);
      const id = fromHex(meter.id)!;
      if (random.chance(0.65)) {
        const type = revokes && random.chance(0.5) ? "revoke" : "suspend";
        return { type, meters: [id] };
      }
      // Now and then at a number that is sealed already, or that it never reaches.
      const seq = Math.max(0, Math.min(SEQ_MAX, meter.next + random.below(7) - 3));
      const ends = random.chance(0.15) ? [] : [[meter.service, seq] as const];
      return { type: "end", meter: id, ends, successor: undefined };
    },
    onIssued(action) {
      if (action.type === "suspend" || action.type === "revoke")
        for (const id of action.meters) blockChecks.releaseMeter(toHex(id));
      if (action.type === "end") blockChecks.releaseMeter(toHex(action.meter));
    },
  };
}
