// The demo's grid: a street behind one line of 100 A, whose homes are the members', and the substation that it hangs on.

import type { Value } from "../../../src/wire/value.js";
import { type Cast, members, SUPPLY_POINT } from "./cast.js";

export function gridOf({ points }: Cast): { readonly [field: string]: Value } {
  const impedance = { r_nOhm: 20_000_000, x_nOhm: 8_000_000 };
  return {
    name: "Sun street",
    buses: [
      { id: "substation", nominal_V: 400 },
      { id: "street", nominal_V: 400 },
    ],
    slack: { bus: "substation", voltage_ppm: 1_000_000 },
    lines: [{ id: "line 1", from: "substation", to: "street", ...impedance, rating_mA: 80_000 }],
    points: [{ id: SUPPLY_POINT, bus: "substation" }, ...members.map((name) => ({ id: points[name], bus: "street" }))],
  };
}
