// What the command is asked for in its tests: each subcommand, each way to misuse it, each way in which it fails.

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestNetwork } from "./network.js";

export type Arguments = readonly string[];

/** A network of one node with a meter's records on the chain of service 3, its node still running. */
export interface Scene {
  readonly folder: string;
  readonly network: TestNetwork;
  /** of the network's node */
  readonly data: string;
  readonly api: string;
  readonly genesis: string;
  /** id of the meter with records */
  readonly meter: string;
  /** an export of chain 3 */
  readonly chain: string;
  /** one of the contracts chain, whose orders the other is judged by */
  readonly contracts: string;
  /** the receipt of the meter's first record */
  readonly receipt: string;
  /** a capture of two telegrams */
  readonly capture: string;
}

export const subcommands: readonly Arguments[] = [
  [],
  ["demo"],
  ["init"],
  ["authority", "init"],
  ["authority", "issue"],
  ["authority", "renew"],
  ["authority", "replace"],
  ["authority", "batch"],
  ["authority", "import"],
  ["authority", "receive"],
  ["authority", "transfer"],
  ["authority", "registrar", "limit"],
  ["request", "make"],
  ["request", "endorse"],
  ["request", "show"],
  ["lot", "export"],
  ["lot", "transfer"],
  ["lot", "verify"],
  ["lot", "labels"],
  ["authority", "list"],
  ["authority", "show"],
  ["authority", "audit"],
  ["authority", "order", "revoke"],
  ["authority", "node"],
  ["node", "run"],
  ["node", "prune"],
  ["node", "repair"],
  ["backup"],
  ["restore"],
  ["meter", "run"],
  ["meter", "list"],
  ["network", "show"],
  ["genesis", "show"],
  ["config", "check"],
  ["doctor"],
  ["completion"],
  ["market", "recompute"],
  ["market", "clear"],
  ["grid", "check"],
  ["chain", "list"],
  ["chain", "show"],
  ["chain", "export"],
  ["chain", "audit"],
  ["receipt", "get"],
  ["receipt", "verify"],
  ["decode"],
  ["firmware", "key"],
  ["firmware", "sign"],
  ["firmware", "show"],
];

/** What is no right use of the command. */
export function misuses({
  folder,
  network,
  data,
  api,
  genesis,
  chain,
  receipt,
  meter,
  capture,
}: Scene): readonly Arguments[] {
  const unmade = join(folder, "unmade");
  const meterFolder = join(network.folder, "meters/m-3");
  return [
    ["nonsense"],
    ["chain"],
    ["chain", "nonsense"],
    ["demo", "--seconds", "0"],
    ["demo", "--seconds", "soon"],
    ["demo", "--nonsense"],
    ["init"],
    ["init", unmade, "--nodes", "0"],
    ["init", unmade, "--network", "No Name"],
    ["init", unmade, "--services", "heat"],
    ["init", unmade, "--services", "heat=1"],
    ["init", unmade, "--chain", "trading=node-9"],
    ["init", unmade, "--chain", "trading=node-1,node-1"],
    ["init", unmade, "--target", "1"],
    ["authority", "issue", "--network", network.folder],
    ["authority", "issue", "--network", network.folder, "--id", "../m"],
    ["authority", "issue", "--network", network.folder, "--id", "m-4", "--public-key", "00".repeat(32)],
    ["authority", "batch", genesis, "--network", network.folder],
    ["authority", "registrar", "limit", "anna", "--network", network.folder, "--lot", "L1"],
    ["request", "make", "--id", "../m", "--genesis", genesis, "--key", unmade, "-o", unmade],
    ["lot", "export", receipt, "--lot", "L1", "--key", unmade, "--to", "00", "-o", unmade],
    ["node", "run"],
    ["node", "prune", join(network.folder, "nodes/node-1/node.json")],
    ["node", "prune", join(network.folder, "nodes/node-1/node.json"), "--prune-before", "0"],
    ["backup", join(network.folder, "nodes/node-1/node.json")],
    ["meter", "run"],
    ["meter", "run", meterFolder, "--emulator", "--tcp", "localhost:1"],
    ["meter", "run", meterFolder, "--port", "{"],
    ["meter", "run", meterFolder, "--broker", "http://127.0.0.1:1"],
    ["network", "show"],
    ["network", "show", "--api", api],
    ["market", "recompute", chain],
    ["market", "clear", chain, "--floor", "2", "--cap", "1"],
    ["chain", "list"],
    ["chain", "list", "--api", api, "--data", data],
    ["chain", "list", chain, "--data", data],
    ["chain", "show", "0", chain],
    ["chain", "show", "1", "--data", data],
    ["chain", "export", "dispatch", "--data", data],
    ["chain", "audit", "--data", data],
    ["receipt", "get", "--data", data, "--service", "3", "--meter", meter, "-o", unmade],
    ["receipt", "get", "--data", data, "--service", "3", "--meter", "m-3", "--seq", "first", "-o", unmade],
    ["receipt", "get", "--data", data, "--service", "3", "--meter", meter, "--seq", "-1", "-o", unmade],
    ["receipt", "verify", receipt],
    ["decode"],
    ["decode", capture, "--protocol", "nonsense"],
  ];
}

/** What fails, with what its reason must name. */
export async function failuresOf(scene: Scene): Promise<readonly (readonly [Arguments, RegExp])[]> {
  const { folder, network, data, api, genesis, chain, contracts, receipt, meter } = scene;
  const absent = join(folder, "absent");
  const otherGenesis = join(folder, "other/genesis.cbor");
  const nodeFile = join(network.folder, "nodes/node-1/node.json");
  const get = ["receipt", "get", "--data", data, "--service", "3", "--meter"];
  const changed = async (path: string, change: (bytes: Buffer) => Uint8Array) => {
    const copy = `${path}-${createHash("sha256").update(String(change)).digest("hex").slice(0, 8)}`;
    await writeFile(copy, change(await readFile(path)));
    return copy;
  };
  const flipped = (bytes: Buffer) => {
    bytes[bytes.length - 200]! ^= 1; // within the certificate
    return bytes;
  };
  const cut = (bytes: Buffer) => bytes.subarray(0, bytes.length - 10);
  return [
    [["init", network.folder], /grid exists already/],
    [["authority", "issue", "--network", network.folder, "--id", "m-4", "--services", "77"], /no service 77/],
    [["chain", "show", "999", chain], /no block 999/],
    [["chain", "show", "1", "--data", data, "--service", "nonsense"], /no service nonsense: it has/],
    [["authority", "issue", "--network", absent, "--id", "m"], /absent\/genesis.cbor/],
    [["authority", "issue", "--network", network.folder, "--id", "m-3", "--out", absent], /m-3 has a credential since/],
    [["record", "list", "--data", data, "--service", "3", "--meter", "m-99"], /nobody with the ID m-99 has signed/],
    [["authority", "show", "nobody", "--network", absent], /absent/],
    [["lot", "verify", receipt], /receipt.cbor is no shipment file/],
    [["authority", "import", absent, "--network", network.folder], /absent cannot be read/],
    [["authority", "list", "--silent", "--network", network.folder, "--api", api], /127\.0\.0\.1:\d+/],
    [["node", "run", absent], /absent cannot be read/],
    [["node", "prune", absent, "--prune-before", "9"], /absent cannot be read/],
    [["backup", absent, join(folder, "copy")], /absent cannot be read/],
    [["backup", nodeFile, network.folder], /exists already|cannot be written/],
    [["restore", nodeFile, absent], /there is no store in .*absent/],
    [["restore", nodeFile, data], /is a node's own store/],
    [["meter", "run", absent], /absent\/configuration.json cannot be read/],
    [["chain", "list", "--data", absent, "--genesis", genesis], /absent/],
    [["chain", "list", absent], /absent/],
    [["network", "show", "--genesis", absent], /absent/],
    [["market", "recompute", absent, "--columns", absent], /absent/],
    [["market", "clear", chain, "--floor", "0", "--cap", "1"], /dispatch\.cborseq/],
    [["grid", "check", chain], /dispatch\.cborseq.* is no grid/],
    [["chain", "list", "--api", api], /127\.0\.0\.1:\d+/],
    [["chain", "list", await changed(chain, cut)], /dispatch\.cborseq-\w+: a block cannot be read/],
    [["chain", "export", "3", "--data", data, "-o", chain], /dispatch.cborseq exists already/],
    [["chain", "export", "3", "--data", data, "-o", join(absent, "file")], /absent\/file cannot be written/],
    [["chain", "audit", await changed(chain, flipped), contracts, "--genesis", genesis], /chain dispatch, block \d+: /],
    [["chain", "audit", chain, contracts, "--genesis", otherGenesis], /chain \w+, block 1: /],
    [["chain", "audit", chain, "--genesis", receipt], /receipt.cbor is no genesis/],
    [[...get, "00112233aabbccdd", "--seq", "0", "-o", absent], /record 0 of meter 00112233aabbccdd/],
    [[...get, meter, "--seq", "999999", "-o", absent], /record 999999 of meter/],
    [[...get, meter, "--seq", "0", "-o", receipt], /receipt.cbor exists already/],
    [["receipt", "verify", absent, "--genesis", genesis], /absent cannot be read/],
    [["receipt", "verify", await changed(receipt, flipped), "--genesis", genesis], /proves nothing/],
    [["receipt", "verify", await changed(receipt, cut), "--genesis", genesis], /holds no receipt/],
    [["receipt", "verify", receipt, "--genesis", otherGenesis], /proves nothing/],
    [["receipt", "verify", receipt, "--genesis", genesis, "--record", genesis], /genesis.cbor/],
    [["demo", "--frames", absent], /absent cannot be read/],
    [["decode", absent], /absent/],
  ];
}
