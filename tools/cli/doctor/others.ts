// Who a node depends on, as `gridseal doctor` reaches them: peers by TLS, a shared broker, APIs of nodes with their versions and
// clocks.

import { connect as connectTcp } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { reasonOf } from "../../errors.js";
import { packageVersion } from "../../files/package-version.js";
import type { NodeConfiguration } from "../../node/configuration.js";
import { dial } from "../../node/network/dial.js";
import type { TlsMaterial } from "../../node/network/peer-listener.js";
import { health } from "../../routes/health.js";
import { ask, baseOf, valueIn } from "../../sources/client.js";
import { type Finding, fail, judgeClock, judgeDates, judgeVersion, pass, warn } from "./findings.js";

const PATIENCE_MS = 5_000;

/** Dials every peer of the configuration and looks at its certificate. Nothing is said to it, so that it takes no place. */
export async function lookAtPeers({ peers }: NodeConfiguration, tls: TlsMaterial, names: ReadonlyMap<string, string>) {
  const found = Object.entries(peers.addresses).map(async ([id, address]): Promise<Finding> => {
    const who = `${names.get(id) ?? "a node"} ${id} at ${address.host}:${address.port}`;
    const seen = await dialed({ id, ...address }, tls);
    if (seen.type === "reached") {
      const dates = judgeDates(`the certificate of ${who}`, seen, Date.now());
      return dates.status === "pass" ? pass("peer", `${who} answers, ${dates.output.split(" is ").at(-1)}`) : dates;
    }
    if (seen.type === "refused") {
      const remedy =
        "correct peers.addresses, or the certificates at both ends: another network, or another node, is there";
      return fail("peer", `${who}: ${seen.detail}`, remedy);
    }
    return warn(
      "peer",
      `${who} does not answer`,
      "start it with gridseal node run, or let its peers.listen through the firewalls on the way",
    );
  });
  return Promise.all(found);
}

type Dialed =
  | { readonly type: "reached"; readonly from_ms: number; readonly to_ms: number }
  | { readonly type: "refused"; readonly detail: string }
  | { readonly type: "silent" };

function dialed(peer: { id: string; host: string; port: number }, tls: TlsMaterial): Promise<Dialed> {
  return new Promise((resolve) => {
    dial(peer, tls, PATIENCE_MS, {
      onSecure(socket: TLSSocket) {
        const { valid_from, valid_to } = socket.getPeerCertificate();
        socket.destroy();
        resolve({ type: "reached", from_ms: Date.parse(valid_from), to_ms: Date.parse(valid_to) });
      },
      onRefused: (detail) => resolve({ type: "refused", detail }),
      onClosed: () => resolve({ type: "silent" }),
    });
  });
}

/** Whether a shared broker can be reached; by TLS where its URL says so, held to the authorities that Node trusts. */
export async function lookAtBroker({ mqtt }: NodeConfiguration): Promise<readonly Finding[]> {
  if (!("url" in mqtt)) return [];
  const { protocol, hostname, port } = new URL(mqtt.url);
  const isTls = protocol === "mqtts:";
  const host = hostname.replace(/^\[|\]$/g, "");
  const place = { host, port: port === "" ? (isTls ? 8_883 : 1_883) : Number(port) };
  const who = `the broker at ${place.host}:${place.port}`;
  try {
    await new Promise<void>((resolve, reject) => {
      const socket = isTls ? connectTls({ ...place, servername: host }) : connectTcp(place);
      socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`nothing came for ${PATIENCE_MS / 1_000} s`)));
      socket.once("error", reject);
      socket.once(isTls ? "secureConnect" : "connect", () => {
        socket.destroy();
        resolve();
      });
    });
    return [pass("broker", `${who} answers${isTls ? " by TLS" : ""}`)];
  } catch (thrown) {
    const remedy =
      "start it, or correct its URL; one with a certificate of your own authority needs NODE_EXTRA_CA_CERTS (docs/shared-broker.md)";
    return [fail("broker", `${who} cannot be reached: ${reasonOf(thrown)}`, remedy)];
  }
}

/** What the node says of itself, where it runs. */
export async function lookAtOwn({ api }: NodeConfiguration): Promise<readonly Finding[]> {
  const host = api.host === "0.0.0.0" ? "127.0.0.1" : api.host === "::" ? "::1" : api.host;
  const findings = await lookAtApi(`http://${host.includes(":") ? `[${host}]` : host}:${api.port}`, "this node");
  return findings.filter(({ check }) => check !== "clock"); // it is this machine's own
}

/** Health, version and clock of a node, by its API. */
export async function lookAtApi(url: string, whose = `the node at ${url}`): Promise<readonly Finding[]> {
  const base = baseOf(url);
  try {
    const asked_ms = Date.now();
    const asked = await ask(base, health, { parameters: {}, patience_ms: PATIENCE_MS });
    if (asked.type !== "answered")
      return [fail("node", `${whose}: ${asked.message}`, "its log says why: journalctl -u gridseal-node@NAME")];
    const half_ms = (Date.now() - asked_ms) / 2;
    const date_ms = Date.parse(asked.answer.response.headers.get("date") ?? "");
    const value = await valueIn(base, health, asked.answer);
    const problems = Object.entries(value.checks).flatMap(([check, seen]) => seen.map((one) => ({ check, ...one })));
    const findings = problems.map(({ check, status, componentId, output }): Finding => {
      const of = componentId === undefined ? check : `${check} of ${componentId}`;
      const remedy = `docs/operator.md says what to do about ${check}`;
      return { check: "node", status, output: `${whose}: ${of}: ${output}`, remedy };
    });
    return [
      ...(findings.length === 0
        ? [pass("node", `${whose} (${value.node}) says pass, ${value.peers} peers`)]
        : findings),
      judgeVersion(whose, value.releaseId, packageVersion()),
      // The other end says the second that had begun.
      ...(Number.isNaN(date_ms) ? [] : [judgeClock(whose, asked_ms + half_ms - (date_ms + 500))]),
    ];
  } catch (thrown) {
    return [
      fail(
        "node",
        reasonOf(thrown),
        "start it with gridseal node run, or name the address that api of its node.json has",
      ),
    ];
  }
}
