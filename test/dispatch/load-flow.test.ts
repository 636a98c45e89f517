// Load flows against networks that pandapower has solved, and what must hold of any grid.

import assert from "node:assert/strict";
import { test } from "node:test";
import { loadFlow } from "../../tools/dispatch/load-flow.js";
import { magnitude } from "../../tools/dispatch/network.js";
import { caseFiles, caseNames, networkOf, readCase } from "./cases.js";

for (const name of caseNames) {
  test(`${name}: voltages, currents and losses are those of the solved cases, and what has no state has none`, {
    skip: caseFiles.skip,
  }, () => {
    const file = readCase(name);
    assert.ok(file.cases.length > 0);
    for (const solved of file.cases) {
      const { network, places } = networkOf(file, solved);
      const flow = loadFlow(network);
      const what = JSON.stringify({ load_scale: solved.load_scale, outage: solved.outage });
      assert.equal(flow.type === "solved", solved.converges, `${what}: ${flow.type}`);
      if (flow.type !== "solved") continue;
      for (const [bus, [vm_pu, va_degree]] of Object.entries(solved.voltages)) {
        const voltage = flow.voltages[Number(bus)]!;
        assert.ok(Math.abs(magnitude(voltage) - vm_pu) < 1e-6, `${what}: bus ${bus}`);
        const angle = (Math.atan2(voltage.im, voltage.re) * 180) / Math.PI;
        assert.ok(Math.abs(angle - va_degree) < 1e-4, `${what}: angle of bus ${bus}, ${angle} and ${va_degree}`);
      }
      for (const { branch, i_a, loading_percent } of solved.lines) {
        const place = places.indexOf(branch);
        const { base_kv } = file.buses[file.branches[branch]?.from ?? 0]!;
        const base_a = (file.base_mva * 1e3) / (Math.sqrt(3) * base_kv);
        const most = place < 0 ? 0 : Math.max(flow.flows[place]!.from, flow.flows[place]!.to) * base_a;
        assert.ok(Math.abs(most - i_a) < 1e-4 * Math.max(1, i_a), `${what}: line ${branch}, ${most} A and ${i_a} A`);
        const { rating_a } = file.line_ratings.find((rating) => rating.branch === branch)!;
        assert.ok(Math.abs((100 * most) / rating_a - loading_percent) < 1e-4, `${what}: loading of line ${branch}`);
      }
      const losses_kw = flow.flows.reduce((sum, { loss }) => sum + loss, 0) * file.base_mva * 1e3;
      assert.ok(Math.abs(losses_kw - solved.losses_kw) < 1e-3 * Math.max(1, solved.losses_kw / 1e3), what);
    }
  });
}
