// A follower of a node's events, while the node is killed: it takes the stream up at that node and at others, and in the end it has
// had every block of every chain once.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createEventReader } from "../node/api/events/event-text.js";
import { freeBasePort, openNetwork, type TestNode } from "./network.js";
import { childrenOf, cleanUp, startGridseal, temporaryFolder, until } from "./processes.js";

const NODES = 4;
const KILLS = 3;

test("who follows events through kills of the node, and changes nodes, has every block once", async (t) => {
  const defer = cleanUp(t);
  const folder = join(await temporaryFolder(defer), "demo");
  const port = String(await freeBasePort(NODES));
  const demo = startGridseal(defer, "demo", "--data", folder, "--base-port", port);
  await until("something is sealed", () => / verified [1-9]/.test(demo.output));
  const network = await openNetwork(defer, folder);
  const [killed, other] = [network.nodes[0]!, network.nodes[1]!];
  const reader = createEventReader();
  const blocks = () => reader.events.filter(({ name }) => name === "block");
  /** Follows until the connection ends, or `isEnough` says so; a node that does not answer is no event. */
  const follow = async (node: TestNode, isEnough: () => boolean) => {
    const aborting = new AbortController();
    const headers = reader.lastId === undefined ? {} : { "last-event-id": reader.lastId };
    const url = `http://${node.api.host}:${node.api.port}/events?after=`;
    const response = await fetch(url, { headers, signal: aborting.signal }).catch(() => undefined);
    try {
      const text = new TextDecoder();
      for await (const chunk of response?.body ?? []) {
        reader.take(text.decode(chunk, { stream: true }));
        if (isEnough()) break;
      }
    } catch {
      // The node is gone: what has no end is forgotten.
    } finally {
      aborting.abort();
      reader.lose();
    }
  };
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = blocks().length;
    const child = await until("the node runs", async () =>
      (await childrenOf(demo.pid)).find(({ command }) => command.includes(`/${killed.name}/node.json`)),
    );
    let isKilled = false;
    await until("the node is killed while it tells", async () => {
      await follow(killed, () => {
        if (!isKilled && blocks().length >= before + 3) {
          isKilled = true;
          process.kill(child.pid, "SIGKILL");
        }
        return false;
      });
      return isKilled;
    });
    const seen = blocks().length;
    await until("another node goes on telling", async () => {
      await follow(other, () => blocks().length >= seen + 5);
      return blocks().length >= seen + 5;
    });
  }
  const chains = await until("the node answers again", () => killed.chains().catch(() => undefined));
  const isTold = () =>
    chains.every(
      ({ service, height }) =>
        height === 0 || blocks().some(({ value }) => value.service === service && value.height === height),
    );
  await until("everything is told", async () => {
    await follow(killed, isTold);
    return isTold();
  });
  const { status, output, errors } = await demo.stop();
  assert.equal(status, 0, `${output}\n${errors}`);
  assert.deepEqual(
    [...new Set(reader.events.map(({ name }) => name))].filter((name) => name !== "ended"),
    ["block"],
  );
  for (const { service } of chains) {
    const heights = blocks()
      .filter(({ value }) => value.service === service)
      .map(({ value }) => value.height);
    assert.deepEqual(
      heights,
      heights.map((_, index) => index + 1),
      `chain ${service}`,
    );
  }
});
