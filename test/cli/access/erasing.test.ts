// Erasures at the command line: what had better not be signed, and whose word a certificate lacks.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Command } from "commander";
import type { Erased } from "../../../src/wire/erased.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { erasureComplaint } from "../../../tools/cli/access/erase.js";
import { certificate, missingMembers, registerErased } from "../../../tools/cli/access/erased.js";
import { createNetwork } from "../../../tools/provisioning/network.js";
import { createParticipant } from "../../../tools/provisioning/participant.js";
import { makeGenesis } from "../../audit/chain-builder.js";

const METER = "1111111111111111";
const ANNA = "aa00000000000001";
const BERT = "aa00000000000002";
const DAY = 20_700;
const days = (from: number, until: number) => ({ meter: METER, from: DAY + from, until: DAY + until });
const rows = {
  subjects: [
    [BERT, DAY, DAY + 5],
    [ANNA, DAY + 5, DAY + 8],
    [ANNA, DAY + 8, 50_000_000],
  ],
  erased: [[DAY + 6, DAY + 7, `${ANNA}-3`, 0]],
} as const;

test("who is not the subject of each of the days is told which, before anything is signed", () => {
  assert.equal(erasureComplaint(ANNA, days(5, 20), rows), undefined);
  assert.match(erasureComplaint(ANNA, days(4, 6), rows)!, /^you are not the subject of meter 1{16} on 2026-09-08,/);
  assert.match(erasureComplaint(BERT, days(0, 6), rows)!, /not the subject .* on 2026-09-09,/);
  assert.match(erasureComplaint(ANNA, days(5, 6), { subjects: [], erased: [] })!, /not the subject/);
  assert.match(erasureComplaint(ANNA, days(6, 7), rows)!, /2026-09-10 until 2026-09-11, is erased already/);
});

test("an order is carried out whoever the subjects are, where anything is left", () => {
  assert.equal(erasureComplaint(undefined, days(0, 9), rows), undefined);
  assert.match(erasureComplaint(undefined, days(6, 7), rows)!, /erased already/);
});

test("a certificate says whose word it lacks, for each erasure", () => {
  const ids = [1, 2, 3].map((byte) => new Uint8Array(8).fill(byte));
  const nodes = ids.map((id, at) => ({ id, name: `node-${at + 1}` }));
  const genesis = { nodes, chains: [{ service: 3, members: nodes }] } as unknown as Genesis;
  const meter = new Uint8Array(8);
  const said = (node: number, erasure: string) => ({ node: ids[node - 1]!, chain: 3, meter, erasure }) as Erased;
  const whole = [1, 2, 3].map((node) => said(node, `${ANNA}-3`));
  assert.deepEqual(missingMembers(genesis, whole), []);
  assert.deepEqual(missingMembers(genesis, [...whole, said(2, `${ANNA}-4`)]), [
    { erasure: `${ANNA}-4`, missing: ["node-1", "node-3"] },
  ]);
});

test("a node that answers with junk, with another answer's items or with no end of them is named, and left", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-junk-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const network = join(folder, "network");
  const chains = [
    { service: 3, name: "dispatch", nodes: [1] },
    { service: 5, name: "contracts", nodes: [1] },
  ];
  const place = { host: "127.0.0.1", basePort: 1, target: 0 };
  await createNetwork(network, { network: "junk", nodes: 1, chains, meters: 0, ...place }, new Date());
  const as = join(folder, "anna");
  const plan = { network, id: "anna", role: "customer", services: [3], out: as, algorithm: "Ed25519" } as const;
  await createParticipant(plan, new Date());
  for (const [body, code, message] of [
    [Uint8Array.of(0xff, 0xff), "CHAIN_INVALID", /answers with something that is no chain/],
    [Uint8Array.of(0x82, 0x01), "CHAIN_INVALID", /cut off/],
    [new TextEncoder().encode("<html>"), "CHAIN_INVALID", /answers with something that is no chain/],
    [new Uint8Array(1_000), "ERASURE_UNPROVED", /^http:.*: a statement of an erasure proves nothing/],
  ] as const) {
    const server = createServer((_request, response) => response.end(body));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const program = new Command().exitOverride();
    registerErased(program);
    const asked = ["erased", "--as", as, "--service", "dispatch", "--meter", ANNA, "--api", api];
    try {
      await assert.rejects(program.parseAsync(asked, { from: "user" }), { code, message });
    } finally {
      server.close();
    }
  }
});

test("a file without a statement certifies nothing", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-certificate-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [file, genesis] = [join(folder, "erased.cbor"), join(folder, "genesis.cbor")];
  writeFileSync(genesis, makeGenesis().bytes);
  for (const [bytes, message] of [
    [[], /erased\.cbor holds no statement of an erasure$/],
    [[0x82], /erased\.cbor is no certificate of an erasure: /],
    [[0], /proves nothing/],
  ] as const) {
    writeFileSync(file, Uint8Array.from(bytes));
    await assert.rejects(certificate(file, { genesis }), { code: "ERASURE_UNPROVED", message });
  }
});
