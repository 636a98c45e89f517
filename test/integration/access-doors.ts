// What nodes tell and leave behind, for tests of what a meter confides: answers to each role, exports, copies, logs, stores, frames on links.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeBlock } from "../../src/wire/block.js";
import { fromHex, toHex } from "../../src/wire/bytes.js";
import { deliveryKeysIn } from "../../tools/cli/access/key.js";
import { type DeliveredShares, dayKeys, takeShare } from "../../tools/crypto/delivered-shares.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import { withParticipant } from "../../tools/files/operations/participant-folder.js";
import { decodeResults } from "../../tools/ledger/violations.js";
import { openGrantSource } from "../../tools/sources/grants.js";
import { independentSequence } from "../wire/independent-cbor.js";
import { type AccessNetwork, apiOf, runGood, SERVICE } from "./access-network.js";
import { alteredCommand } from "./altered.js";
import type { TestNetwork, TestNode } from "./network.js";
import { type Defer, gridseal, temporaryFolder } from "./processes.js";

export interface Door {
  readonly door: string;
  readonly bytes: Buffer;
}

/** A network whose nodes are asked, and whose people ask. */
export interface Asked extends Pick<AccessNetwork, "network" | "meterId"> {
  readonly people: readonly string[];
}

/** These nodes run on, and write down all that they send over their links, and hear, before it is encrypted there; what that is so far. */
export async function hearing(defer: Defer, ...nodes: readonly TestNode[]): Promise<() => Promise<Buffer>> {
  const folder = await temporaryFolder(defer);
  const file = join(folder, "heard");
  const note = (bytes: string) =>
    `process.getBuiltinModule("node:fs").appendFileSync(${JSON.stringify(file)}, new Uint8Array(${bytes}));`;
  const command = await alteredCommand(join(folder, "altered"), {
    edits: [
      ["this.#socket.write(head);", `${note("body")} this.#socket.write(head);`],
      [
        "const handled = this.#events.onMessage(message);",
        `${note("message")} const handled = this.#events.onMessage(message);`,
      ],
    ],
  });
  for (const node of nodes) {
    await node.stop();
    await node.start(command);
  }
  return () => readFile(file);
}

/** Shares that custodians have given on the grant, and the day keys that they come to. */
export async function keysOf({ network, meterId }: Asked, grant: string): Promise<readonly Uint8Array[]> {
  const { genesis } = await readGenesisFile(network.genesis);
  const of = { service: Number(SERVICE), grant };
  const study = join(network.folder, "study");
  const delivered: DeliveredShares = {
    ...{ ...of, genesis, keys: await deliveryKeysIn(study), meter: meterId, envelopes: new Map() },
  };
  await withParticipant(study, async ({ tokenFor }) => {
    for (const node of network.nodes) {
      const source = openGrantSource(apiOf(node), of, tokenFor);
      const { custodian } = await source.grant();
      const today = Math.floor(Date.now() / 86_400_000);
      for await (const share of source.shares({ from: today, until: today + 1 })) {
        assert.equal(takeShare(delivered, custodian, share), undefined);
      }
    }
  });
  const keys = await dayKeys(delivered);
  assert.ok(keys.size > 0, "day keys to look for");
  return [...keys.values(), ...[...delivered.envelopes.values()].flatMap(({ shares }) => [...shares.values()])];
}

/** What a node answers to these paths, to nobody and to each of the people. */
export async function answersTo({ network, people }: Asked, paths: readonly string[]): Promise<readonly Door[]> {
  const doors: Door[] = [];
  const [node] = network.nodes as [TestNode];
  const ask = async (who: string, token?: string) => {
    for (const path of paths) {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const answer = await fetch(apiOf(node) + path, { headers });
      doors.push({ door: `${path} for ${who}`, bytes: Buffer.from(await answer.arrayBuffer()) });
    }
  };
  await ask("anybody");
  for (const who of people) {
    await withParticipant(join(network.folder, who), async ({ tokenFor }) => ask(who, tokenFor(apiOf(node))));
  }
  return doors;
}

/** What is told from here on; nobody waits for its end. */
export function listenTo(defer: Defer, url: string): () => Buffer {
  const chunks: Uint8Array[] = [];
  const aborting = new AbortController();
  defer(async () => aborting.abort());
  void (async () => {
    const { body } = await fetch(url, { signal: aborting.signal });
    for await (const chunk of body!) chunks.push(chunk);
  })().catch(() => undefined);
  return () => Buffer.concat(chunks);
}

/** What a running node tells: its answers, errors among them, rows and headers of its chain, a copy of its store. */
export async function behindDoors(access: Asked): Promise<readonly Door[]> {
  const { network, meterId } = access;
  const { folder, nodes, genesis } = network;
  const [node] = nodes as [TestNode];
  const api = apiOf(node);
  const chain = `/chains/${SERVICE}`;
  const paths = [
    ...["/metrics", "/health", "/chains", "/orders", "/violations", "/nowhere", `${chain}/holders`, `${chain}/lineage`],
    ...[`${chain}/blocks`, `${chain}/records/${meterId}`, `/receipts/${SERVICE}/${meterId}/0`, `${chain}/blocks/0`],
    ...[`${chain}/state/access`, `${chain}/grants/${"11".repeat(8)}-1`, `${chain}/erasures/${meterId}`],
  ];
  const doors: Door[] = [...(await answersTo(access, paths))];
  const files = [
    { name: "dispatch.public", args: ["--public"] },
    { name: "dispatch.csv", args: ["--format", "csv"] },
    { name: "dispatch.jsonl", args: ["--format", "jsonl"] },
  ];
  for (const { name, args } of files) {
    const file = join(folder, name);
    await runGood("chain", "export", SERVICE, ...args, "--api", api, "-o", file);
    doors.push({ door: name, bytes: await readFile(file) });
  }
  const copy = join(folder, "copy");
  await runGood("backup", join(node.folder, "node.json"), copy);
  for (const name of await readdir(copy))
    doors.push({ door: `backup ${name}`, bytes: await readFile(join(copy, name)) });
  const { status, errors } = await gridseal("chain", "audit", join(folder, "dispatch.public"), "--genesis", genesis);
  assert.equal(status, 3, errors);
  assert.match(errors, /what the blocks hold is not in the file/);
  const { bytes } = doors.find(({ door }) => door === "dispatch.public")!;
  assert.ok(!bytes.includes(Buffer.from(fromHex(meterId)!)), "nor which meters there are, in what strangers may have");
  return doors;
}

/** As bytes, which CBOR has too, as hex, and as base64 wherever it begins in what is encoded. */
function formsOf(secret: Uint8Array): readonly Buffer[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    // Characters that other bytes beside it would change.
    const sure = text.replaceAll("=", "").slice(Math.ceil((8 * before) / 6), -1);
    return [sure, sure.replaceAll("+", "-").replaceAll("/", "_")];
  });
  return [bytes, ...[hex, hex.toUpperCase(), ...base64].map((text) => Buffer.from(text))];
}

/** What the meter has confided, and the keys of those who keep it, are searched for in all that nodes have left. */
export async function assertHidden(
  { folder, nodes }: TestNetwork,
  {
    opened,
    keys: ofDays,
  }: { readonly opened: readonly { readonly disclosure: string }[]; readonly keys: readonly Uint8Array[] },
  doors: readonly Door[],
): Promise<void> {
  const disclosures = opened.map(({ disclosure }) => fromHex(disclosure)!);
  const salts = disclosures.map((bytes) => bytes.subarray(2, 18));
  // Label and registers, as CBOR has them behind the salt: of each reading its numbers.
  const values = disclosures.map((bytes) => bytes.subarray(18));
  assert.ok(salts.length >= 5, "salts to look for");
  const keys = await Promise.all(
    nodes.map(async ({ folder: of }) => {
      const name = (await readdir(of)).find((each) => each.endsWith(".custody"))!;
      const { secret } = JSON.parse(await readFile(join(of, name), "utf8")) as { readonly secret: string };
      return fromHex(secret)!;
    }),
  );
  const planted = [
    ...salts,
    ...values,
    ...keys,
    ...ofDays,
    ...["phases", "evening"].map((text) => new TextEncoder().encode(text)),
  ];
  const [need] = planted.splice(-1); // which is public, and shows that the search finds something
  const file = join(folder, "dispatch.chain");
  await runGood("chain", "export", SERVICE, "--data", join(nodes[0]!.folder, "data"), "-o", file);
  const exported = await readFile(file);
  assert.ok(exported.includes(Buffer.from(need!)), "the need's text is in the export");
  const links = doors.find(({ door }) => door === "links of two nodes")!;
  assert.ok(links.bytes.includes(Buffer.from(need!)), "and went over links");
  const stores = await Promise.all(nodes.map((node) => readFile(join(node.folder, "data", "data.mdb"))));
  const logs = nodes.map((node) => Buffer.from(`${node.process?.output ?? ""}${node.process?.errors ?? ""}`));
  assert.ok(doors.find(({ door }) => door === "events")!.bytes.length > 0, "something was told");
  const places = [
    { door: "export", bytes: exported },
    ...stores.map((bytes, index) => ({ door: `store ${index}`, bytes })),
    ...logs.map((bytes, index) => ({ door: `log ${index}`, bytes })),
    ...doors,
  ];
  for (const { door, bytes: place } of places) {
    for (const secret of planted) {
      for (const form of formsOf(secret)) assert.ok(!place.includes(form), `${toHex(secret)} behind ${door}`);
    }
  }
  const breaches = independentSequence(exported).flatMap((bytes) => {
    return decodeResults(decodeBlock(bytes).results).violations.map((each) =>
      each.kind === "contract" ? each.name : each.kind,
    );
  });
  assert.deepEqual(breaches, ["role", "not-subject", "not-subject"]);
}
