// A network whose dispatch chain has the contract `access`, people with folders, and a meter in XS that confides its power.

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toHex } from "../../src/wire/bytes.js";
import type { Role } from "../../src/wire/credential.js";
import { withParticipant } from "../../tools/files/operations/participant-folder.js";
import { createParticipant } from "../../tools/provisioning/participant.js";
import { makeNetwork, readyOf, startNodes, type TestNetwork, type TestNode } from "./network.js";
import { type Defer, gridseal, gridsealJson, startGridseal, submitted, temporaryFolder, until } from "./processes.js";

const ACCESS = fileURLToPath(new URL("../../tools/market/access/access.ts", import.meta.url));
/** Dispatch: `init` makes the power of its meters confidential. */
export const SERVICE = "3";
/** Of sums over groups. */
export const SLOT_S = 20;
const DAY_MS = 86_400_000;
export const dayText = (offset: number) => new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10);
export const apiOf = ({ api }: TestNode) => `http://${api.host}:${api.port}`;

export async function runGood(...args: readonly string[]): Promise<string> {
  const { status, output, errors } = await gridseal(...args);
  assert.equal(status, 0, `gridseal ${args.join(" ")}: ${errors}${output}`);
  return output;
}

export interface AccessNetwork {
  readonly network: TestNetwork;
  /** of its first meter */
  readonly meterId: string;
  readonly meterIds: readonly string[];
  idOf(name: string): Promise<string>;
  /** Signs, submits and waits until it is sealed; what it is called, and what became of it. */
  say(as: string, ...args: readonly string[]): Promise<{ readonly name: string; readonly sealed: string }>;
  /** `study` opens a request with what these nodes deliver. */
  open(request: string, nodes: readonly string[]): ReturnType<typeof gridseal>;
  /** Starts the first meter, or another one. */
  startMeter(number?: number): ReturnType<typeof startGridseal>;
  /** Resolves when so many readings are sealed at the node. */
  sealed(node: TestNode, count: number): Promise<void>;
}

/** Four nodes that run, people by their roles, and a rule that lets researchers ask for research with consent, and for sums over groups of any size. */
export async function openAccess(
  defer: Defer,
  people: Readonly<Record<string, Role>>,
  meters = 1,
): Promise<AccessNetwork> {
  const network = await makeNetwork(defer, await temporaryFolder(defer), { nodes: 4, meters });
  const { folder, genesis } = network;
  for (const [id, role] of Object.entries(people)) {
    const plan = { network: folder, id, role, services: [Number(SERVICE)], out: join(folder, id) } as const;
    await createParticipant({ ...plan, algorithm: "Ed25519" }, new Date());
  }
  await startNodes(network);
  const api = apiOf(network.nodes[1]!);
  const order = async (file: string, ...args: readonly string[]) => {
    await runGood(...args, "--network", folder, "--api", api, "-o", join(folder, file));
    await runGood("order", "submit", join(folder, file), "--api", api, "--genesis", genesis);
  };
  const place = ["--service", SERVICE, "--from", "1"];
  const types = [64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74].flatMap((type) => ["--type", String(type)]);
  const named = ["--name", "access", "--revision", "1", ...types];
  const ready = await readyOf(network.nodes, ACCESS, join(folder, "access.ready"), ...place, ...named);
  await order("install.cose", "contract", "propose", ACCESS, ...place, ...named, ...ready);
  const sums = [
    "rule-9-8=law 31 *",
    "group-9-8=law 31 *",
    "group_residential=1",
    "group_nonresidential=1",
    `group_slot_s=${SLOT_S}`,
    "group_lateness_s=10",
  ];
  await order("rules.cose", "contract", "parameters", "access", "rule-9-7=consent 31 *", ...sums, ...place);
  const records = async (node: TestNode) =>
    (await node.chains()).find(({ service }) => service === Number(SERVICE))!.records;
  const meterIds = await metersOf(folder);
  return {
    network,
    meterId: meterIds[0]!,
    meterIds,
    idOf: (name) => withParticipant(join(folder, name), async ({ kid }) => toHex(kid)),
    async say(as, ...args) {
      const who = ["--as", join(folder, as), "--service", SERVICE];
      const said = await gridsealJson("access", ...args, ...who);
      const sealed = await submitted(join(folder, as), "--api", api);
      const name = Object.values(said as Record<string, string>).find((text) => /^[0-9a-f]{16}-/.test(text))!;
      return { name, sealed };
    },
    open(request, nodes) {
      const who = ["--as", join(folder, "study"), "--service", SERVICE];
      return gridseal("access", "open", request, ...who, ...nodes.flatMap((each) => ["--api", each]));
    },
    startMeter: (number = 1) => startGridseal(defer, "meter", "run", join(folder, "meters", `meter-${number}`)),
    async sealed(node, count) {
      await until("records with confidential groups are sealed", async () => (await records(node)) >= count, 120_000);
    },
  };
}

/** Ids, by the numbers of the meters. */
async function metersOf(folder: string): Promise<readonly string[]> {
  const rows = (await runGood("authority", "list", "--network", folder, "--json")).trim().split("\n");
  const listed = rows.map((row) => JSON.parse(row) as { readonly id: string; readonly meter: string });
  const meters = listed.filter(({ id }) => /^meter-[0-9]+$/.test(id));
  return meters.sort((one, other) => one.id.localeCompare(other.id)).map(({ meter }) => meter);
}
