// Every place at which the code decodes CBOR stands here, with the formats of the bounds tests that try all of its numbers, or with the
// reason why none does. Whoever adds a decoder adds a row: a number without a bound stopped all nodes once.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

interface Decoding {
  /** how often the file decodes */
  readonly calls: number;
  readonly formats?: readonly string[];
  readonly why?: string;
}

const tried = (...formats: string[]): Decoding => ({ calls: 1, formats });
const untried = (why: string): Decoding => ({ calls: 1, why });
const noNumber = untried("it has no number");
const ownFlash = untried("a meter's own flash: what does not read is none");

const decodings: Readonly<Record<string, Decoding>> = {
  "src/agent/command.ts": tried("command"),
  "src/agent/members.ts": ownFlash,
  "src/agent/meter-search.ts": ownFlash,
  "src/agent/pulse-count.ts": ownFlash,
  "src/agent/update.ts": ownFlash,
  "src/wire/aggregate.ts": tried("sums over a group"),
  "src/wire/batch.ts": tried("temporary block"),
  "src/wire/block.ts": { calls: 2, formats: ["block", "metadata"] },
  "src/wire/contract-order.ts": untried("an order and its source, as byte strings"),
  "src/wire/cose.ts": { calls: 3, formats: ["record", "operation", "order by several keys"] },
  "src/wire/credential.ts": tried("credential", "credential of a lot"),
  "src/wire/division.ts": tried("division"),
  "src/wire/envelope.ts": { calls: 2, formats: ["envelope"] },
  "src/wire/erased.ts": tried("word on an erasure"),
  "src/wire/firmware-bundle.ts": tried("bundle"),
  "src/wire/firmware.ts": tried("firmware"),
  "src/wire/founding-order.ts": tried(
    ...["order of members", "order of members with READY", "order of a chain", "order of an end", "order to install"],
    ...["order of revocation", "order of suspension", "order of resumption", "order of a ban", "order of parameters"],
    ...["order to retire", "order that assigns", "order of a register's head", "order of a withdrawal"],
  ),
  "src/wire/genesis.ts": tried("genesis", "genesis that orders by several keys"),
  "src/wire/handover.ts": tried("handover"),
  "src/wire/key.ts": tried("credential", "genesis"),
  "src/wire/message.ts": { calls: 2, formats: ["message", "carried message"] },
  "src/wire/named.ts": tried("request", "endorsement", "enrolment", "approval"),
  "src/wire/notice.ts": tried("due notice"),
  "src/wire/operation.ts": { calls: 2, formats: ["operation", "hidden part"] },
  "src/wire/outcome.ts": tried("results"),
  "src/wire/public-chain.ts": { calls: 2, formats: ["head of a public chain", "block of a public chain"] },
  "src/wire/receipt.ts": { calls: 2, formats: ["receipt", "receipt that is sent"] },
  "src/wire/record.ts": { calls: 2, formats: ["record", "disclosure"] },
  "src/wire/refusal.ts": tried("refusal"),
  "src/wire/sealed-disclosure.ts": { calls: 3, formats: ["sealed disclosures", "list of sealed disclosures"] },
  "src/wire/session-proof.ts": tried("session"),
  "src/wire/slot-proof.ts": tried("proof of a row"),
  "src/wire/slot.ts": { calls: 3, formats: ["row of a slot", "rows of a slot", "leaf of a slot"] },
  "src/wire/time.ts": tried("time"),
  "src/wire/value.ts": { calls: 2, formats: ["operation", "hidden part", "order of parameters"] },
  "src/wire/warrant.ts": tried("warrant"),
  "tools/authority/lots/shipment.ts": { calls: 2, formats: ["lot of a shipment"] },
  "tools/authority/requests/read-answer.ts": noNumber,
  "tools/cli/receipt/effect.ts": untried("shown as it stands, and sealed by then"),
  "tools/consensus/messages.ts": {
    calls: 2,
    formats: [
      ...["evidence", "proposal", "prevote", "precommit", "polka", "round certificate", "decision", "status"],
      ...["evidence in a message", "inquiry", "vouch"],
    ],
  },
  "tools/consensus/signed-position.ts": tried("record of what was signed"),
  "tools/explorer/network/orders.ts": untried("a height by asHeight, as in the row of an order"),
  "tools/files/operations/outbox.ts": tried("outbox of operations"),
  "tools/ledger/contract-centre.ts": untried(
    "a script that is derived here is compared by its bytes: its name alone is read",
  ),
  "tools/ledger/disproof.ts": tried("disproof"),
  "tools/ledger/proposal.ts": tried("proposal body"),
  "tools/ledger/settlement/meter-counters.ts": tried("meter's counters"),
  "tools/ledger/state-proof.ts": { calls: 2, formats: ["state proof", "state proof in a file"] },
  "tools/ledger/state.ts": {
    calls: 2,
    why: "own rows behind a checksum; what is sealed goes through them as `seq` and `number`",
  },
  "tools/ledger/violations.ts": tried("results", "row of a violation"),
  "tools/node/chain/blocks/catch-up.ts": tried("block"),
  "tools/node/chain/blocks/missing-bodies.ts": {
    calls: 2,
    why: "a height by asHeight; test/node/chain/extremes.test.ts sends both frames",
  },
  "tools/node/chain/frame.ts": { calls: 2, formats: ["batch note", "block request"] },
  "tools/node/chain/sealed-orders.ts": tried("row of an order"),
  "tools/node/chain/tables/heads.ts": untried(
    "own rows behind a checksum; what is sealed goes through them as `height`",
  ),
  "tools/node/chain/tables/settlement.ts": tried("settlement"),
  "tools/node/chain/tables/states.ts": untried(
    "own rows behind a checksum; what is sealed goes through them as `height`",
  ),
  "tools/node/chain/tables/violations.ts": {
    calls: 2,
    formats: ["row of a violation", "height up to which violations are listed"],
  },
  "tools/node/chain/tables/waiting-notices.ts": untried("a notice, whose bytes are read as those of a temporary block"),
  "tools/node/disclosures/custodian.ts": tried("envelope"),
  "tools/node/disclosures/dealing.ts": tried("envelope", "division"),
  "tools/node/disclosures/groups/share-frames.ts": {
    calls: 3,
    formats: ["question for a group", "share for a group"],
  },
  "tools/node/disclosures/missing/asking.ts": tried("question for disclosures", "question for shares"),
  "tools/node/disclosures/tables/disclosures-noted.ts": untried(
    "own rows behind a checksum; what is sealed goes through them as `height`",
  ),
  "tools/node/disclosures/tables/missing-disclosures.ts": untried(
    "own rows behind a checksum, of a record's day and of this node's clock",
  ),
  "tools/node/disclosures/tables/missing-shares.ts": untried(
    "own rows behind a checksum, of an envelope's day and of this node's clock",
  ),
  "tools/node/disclosures/tables/envelopes.ts": tried("envelope"),
  "tools/node/network/hello.ts": noNumber,
  "tools/node/store/outline.ts": tried("outline"),
  "tools/routes/days.ts": tried("row of a day"),
  "tools/routes/holders.ts": tried("row of a holder"),
  "tools/routes/record-rows.ts": tried("row of a record"),
  "tools/sources/api.ts": untried("a height by asHeight, as in the row of an order"),
  "tools/sources/grants.ts": noNumber,
  "tools/sources/group-grants.ts": noNumber,
};

/** What decodes for all others. */
const decoders = ["src/wire/cbor.ts", "tools/crypto/cbor.ts"];

/** Sources under a folder of the project. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => `${folder}/${name}`);
}

function callsIn(path: string): number {
  return readFileSync(path, "utf8").match(/\bdecodeCbor(Views)?\(/g)?.length ?? 0;
}

test("every place that decodes CBOR is tried with all of its numbers, or says why not", () => {
  const files = [...filesIn("src"), ...filesIn("tools")].filter((path) => !path.startsWith("tools/lab/"));
  const found = files
    .filter((path) => !decoders.includes(path))
    .map((path) => [path, callsIn(path)] as const)
    .filter(([, calls]) => calls > 0);
  const stated = Object.entries(decodings).map(([path, { calls }]) => [path, calls] as const);
  assert.deepEqual(new Map(found.sort()), new Map(stated.sort()));
});

test("every format that is named is tried", () => {
  const names = new Set<string>();
  for (const path of filesIn("test/wire").filter((each) => each.startsWith("test/wire/bounds"))) {
    const [, formats = ""] = readFileSync(path, "utf8").split(/^const formats/m);
    for (const [, quoted, plain] of formats.matchAll(/^ {2}(?:"([^"]+)"|(\w+)): (?:format|order|message)\(/gm)) {
      names.add(quoted ?? plain!);
    }
  }
  for (const [path, { formats, why }] of Object.entries(decodings)) {
    assert.ok((why === undefined) !== (formats === undefined), path);
    for (const name of formats ?? []) assert.ok(names.has(name), `${path}: ${name}`);
  }
});
