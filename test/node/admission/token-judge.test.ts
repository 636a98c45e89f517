import assert from "node:assert/strict";
import { test } from "node:test";
import { generateSeed, signerFromSeed } from "../../../tools/crypto/signatures.js";
import type { MeterRuling } from "../../../tools/ledger/governance.js";
import { CLOCK_APART_MAX_S, type TokenVerdict } from "../../../tools/node/admission/token-judge.js";
import { createHolder, createJudge, NOW_S, nodeId, nodeSigner, nodeToken } from "./holders.js";

const reasonOf = (verdict: TokenVerdict) => (verdict.type === "refused" ? verdict.reason : verdict.type);

test("admits who holds a credential, with the id of its key", async () => {
  const { judge } = createJudge();
  const holder = createHolder();
  const verdict = await judge.judge(holder.token(), []);
  assert.equal(verdict.type === "admitted" && verdict.holder.id, holder.id);
  assert.deepEqual(verdict.type === "admitted" && verdict.holder.credentialBytes, holder.credential);
});

test("admits a node by its key, until it is banned", async () => {
  const { judge, state } = createJudge();
  const verdict = await judge.judge(nodeToken(nodeSigner), []);
  assert.deepEqual(verdict, { type: "admitted", holder: { id: nodeId } });
  assert.equal(reasonOf(await judge.judge(nodeToken(signerFromSeed(generateSeed())), [])), "token-unproven");
  assert.equal(state.verified, 1, "one signature is verified, and none where no node is named");
  state.governance = { ...state.governance, banned: new Map([[nodeId, 3]]) };
  assert.equal(reasonOf(await judge.judge(nodeToken(nodeSigner), [])), "holder-banned");
});

test("refuses a token that is missing, malformed, forged, or of another network's authority", async () => {
  const { judge } = createJudge();
  const holder = createHolder();
  const forged = createHolder({}, ["meter"], signerFromSeed(generateSeed()));
  const [, signed] = createHolder().token().split(".");
  const cases: readonly (readonly [string | undefined, string])[] = [
    [undefined, "token-missing"],
    ["", "token-missing"],
    ["what", "token-malformed"],
    [`${holder.token()}A`, "token-malformed"],
    [forged.token(), "token-unproven"],
    [`${holder.token().split(".")[0]}.${signed}`, "token-unproven"],
  ];
  for (const [token, reason] of cases) assert.equal(reasonOf(await judge.judge(token, [])), reason);
});

test("refuses a token for another host where names are stated, whatever the port", async () => {
  const { judge } = createJudge();
  const holder = createHolder();
  const names = ["broker.example", "::1"];
  for (const url of ["mqtt://broker.example:1883", "mqtts://Broker.Example", "mqtt://user@broker.example:9"]) {
    assert.equal(reasonOf(await judge.judge(holder.token(url), names)), "admitted", url);
  }
  assert.equal(reasonOf(await judge.judge(holder.token("mqtt://other.example:1883"), names)), "token-audience");
});

test("refuses a token of another time, and verifies no signature of it", async () => {
  const { judge, state } = createJudge();
  const holder = createHolder();
  for (const at_s of [NOW_S + CLOCK_APART_MAX_S + 1, NOW_S - 300 - CLOCK_APART_MAX_S]) {
    assert.equal(reasonOf(await judge.judge(holder.token(undefined, at_s), [])), "token-untimely");
  }
  assert.equal(state.verified, 0);
  for (const at_s of [NOW_S + CLOCK_APART_MAX_S, NOW_S - 300 - CLOCK_APART_MAX_S + 1]) {
    assert.equal(reasonOf(await judge.judge(holder.token(undefined, at_s), [])), "admitted");
  }
});

test("refuses who is expired, not yet valid, revoked, suspended or ended, each with its reason, and ends them later too", async () => {
  const { judge, state } = createJudge();
  const good = state.governance;
  const holder = createHolder();
  const ruling = (rulings: readonly MeterRuling[]) => ({ ...good, rulings: new Map([[holder.id, rulings]]) });
  const suspended: MeterRuling = { contractsHeight: 4, standing: "suspended" };
  const cases = [
    ["holder-revoked", { ...good, revoked: new Map([[holder.id, 4]]) }],
    ["holder-suspended", ruling([suspended])],
    ["admitted", ruling([suspended, { contractsHeight: 5, standing: "good" }])],
    ["holder-ended", ruling([{ contractsHeight: 4, standing: "ended", ends: new Map() }])],
    // What it has kept below its last number is still to be sealed.
    ["admitted", ruling([{ contractsHeight: 4, standing: "ended", ends: new Map([[1, 7]]) }])],
  ] as const;
  const admitted = await judge.judge(holder.token(), []);
  assert.ok(admitted.type === "admitted");
  for (const [reason, governance] of cases) {
    state.governance = governance;
    assert.equal(reasonOf(await judge.judge(holder.token(), [])), reason);
    assert.equal(judge.objection(admitted.holder)?.reason ?? "admitted", reason);
  }
  state.governance = good;
  for (const overrides of [{ expires_s: NOW_S }, { notBefore_s: NOW_S + 1 }]) {
    assert.equal(reasonOf(await judge.judge(createHolder(overrides).token(), [])), "holder-expired");
  }
  state.now_s += 900;
  assert.equal(judge.objection(admitted.holder)?.reason, "holder-expired");
});
