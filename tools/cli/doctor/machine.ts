// What `gridseal doctor` looks at on the machine itself: files and their dates, folder, disk, ports.

import { X509Certificate } from "node:crypto";
import { constants } from "node:fs";
import { access, readFile, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { GridsealError, reasonOf } from "../../errors.js";
import { lockFolder } from "../../files/lock.js";
import type { Address, NodeConfiguration } from "../../node/configuration.js";
import { type Identity, readIdentity } from "../../node/identity.js";
import { markOf, readBrokerTls, readTls } from "../../node/node-files.js";
import { networkText } from "../../terminal/output.js";
import {
  type CheckName,
  type Finding,
  fail,
  judgeDates,
  judgePort,
  judgeSpace,
  type PortSeen,
  pass,
  warn,
} from "./findings.js";

/** What a failure of the catalogue says of a check. */
export function failureOf(check: CheckName, thrown: unknown): Finding {
  const remedy =
    thrown instanceof GridsealError ? thrown.remedy : "Mend what the message names, and run `gridseal doctor` again.";
  return fail(check, reasonOf(thrown), remedy);
}

/** Who the node is; undefined where key or genesis is at fault. */
export async function lookAtIdentity(
  configuration: NodeConfiguration,
): Promise<{ readonly identity?: Identity; readonly findings: readonly Finding[] }> {
  try {
    const identity = await readIdentity(configuration);
    const { genesis, self } = identity;
    const known = genesis.nodes.some(({ id }) => Buffer.from(id).equals(self.id));
    const said = `${Buffer.from(self.id).toString("hex")} (${self.name}), network ${networkText(genesis)}`;
    const finding = known
      ? pass("key", said)
      : warn(
          "key",
          `${said}: no node of the genesis`,
          "right for a node that an order admits later; otherwise name the right key",
        );
    return { identity, findings: [finding, ...(await lookAtMark(configuration))] };
  } catch (thrown) {
    return { findings: [failureOf("key", thrown)] };
  }
}

/** Beside the key a node marks that it has signed: the folder must take the mark. */
async function lookAtMark({ key }: NodeConfiguration): Promise<readonly Finding[]> {
  const mark = markOf(key);
  try {
    await access(mark).catch(() => access(dirname(key), constants.W_OK));
    return [];
  } catch (thrown) {
    const remedy = "put key.json into a folder of the user that the node runs as, and its path into node.json";
    return [fail("key", `${mark} cannot be made, the mark that the key has signed: ${reasonOf(thrown)}`, remedy)];
  }
}

/** Whether the certificates belong together, and how long they are good. */
export async function lookAtCertificates(configuration: NodeConfiguration, id: string, now_ms: number) {
  const findings: Finding[] = [];
  const { tls, mqtt } = configuration;
  const brokers = "listen" in mqtt && mqtt.tls !== undefined ? [mqtt.tls.certificate] : [];
  for (const path of [tls.certificate, tls.ca, ...brokers]) {
    try {
      const { validFrom, validTo } = new X509Certificate(await readFile(path));
      findings.push(judgeDates(path, { from_ms: Date.parse(validFrom), to_ms: Date.parse(validTo) }, now_ms));
    } catch (thrown) {
      findings.push(
        fail("certificate", `${path}: ${reasonOf(thrown)}`, "put the certificate there that was made for this node"),
      );
    }
  }
  if (findings.some(({ status }) => status === "fail")) return findings;
  for (const read of [() => readTls(configuration, id), () => readBrokerTls(configuration)]) {
    await read().catch((thrown) => findings.push(failureOf("certificate", thrown)));
  }
  return findings;
}

/** Whether the folder of the store may be written, whether a node runs there, and the room on its disk. */
export async function lookAtData({ data }: NodeConfiguration) {
  const findings: Finding[] = [];
  const present = await access(data).then(
    () => true,
    () => false,
  );
  const place = present ? data : dirname(data);
  let nodeRuns = false;
  try {
    await access(place, constants.R_OK | constants.W_OK | constants.X_OK);
    nodeRuns = present && (await isHeld(data));
    findings.push(pass("data", present ? `${data} may be written` : `${data} will be made at the first start`));
  } catch (thrown) {
    const remedy = "give the folder to the user that the node runs as, and see that its disk is not read-only";
    findings.push(fail("data", `${place} may not be written: ${reasonOf(thrown)}`, remedy));
  }
  const space = await statfs(place).catch(() => undefined);
  if (space !== undefined) {
    const { bavail, blocks, bsize } = space;
    findings.push(judgeSpace(place, { free_bytes: bavail * bsize, size_bytes: blocks * bsize }));
  }
  return { nodeRuns, findings };
}

async function isHeld(folder: string): Promise<boolean> {
  try {
    const unlock = await lockFolder(folder, "node");
    await unlock();
    return false;
  } catch (thrown) {
    if (thrown instanceof GridsealError && thrown.code === "FOLDER_IN_USE") return true;
    throw thrown;
  }
}

/** Each address that the node listens on. */
export async function lookAtPorts({ peers, mqtt, api }: NodeConfiguration, nodeRuns: boolean): Promise<Finding[]> {
  const addresses: readonly (readonly [string, Address])[] = [
    ["peers.listen", peers.listen],
    ...("listen" in mqtt ? [["mqtt.listen", mqtt.listen] as const] : []),
    ["api", api],
  ];
  return Promise.all(
    addresses.map(async ([name, address]) =>
      judgePort(`${name} ${address.host}:${address.port}`, await seenAt(address), nodeRuns && address.port !== 0),
    ),
  );
}

/** Listens for a moment, to see whether it can be done. */
function seenAt({ host, port }: Address): Promise<PortSeen> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code === "EADDRINUSE" ? "held" : { refused: reasonOf(error) }),
    );
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve("free")));
  });
}
