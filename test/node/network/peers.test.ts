import assert from "node:assert/strict";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";
import { createNetworkAuthority, createNodeCertificate, type TlsIdentity } from "../../../tools/authority/tls.js";
import { GridsealError } from "../../../tools/errors.js";
import { frameHeader } from "../../../tools/node/network/frames.js";
import { channelBinding, encodeHello, helloStatement, type LinkRole } from "../../../tools/node/network/hello.js";
import { createTestNetwork, genesisHash, quick, type TestNetwork, type TestNode, until } from "./cluster.js";

const MIB = 1024 * 1024;

async function withNetwork(size: number, body: (network: TestNetwork) => Promise<void>): Promise<void> {
  const network = await createTestNetwork(size);
  try {
    await body(network);
  } finally {
    await network.stop();
  }
}

/** A TLS client of the test's own making, with whatever certificate; never rejects. */
function dial(
  port: number,
  authority: string,
  identity: Partial<TlsIdentity>,
  version: "TLSv1.2" | "TLSv1.3" = "TLSv1.3",
) {
  const socket = connect({
    host: "127.0.0.1",
    port,
    ca: authority,
    ...identity,
    maxVersion: version,
    checkServerIdentity: () => undefined,
  });
  socket.on("error", () => undefined);
  return socket;
}

function secured(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => socket.once("secureConnect", resolve));
}

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
    socket.resume();
  });
}

function frame(kind: number, body: Uint8Array): Uint8Array {
  return Buffer.concat([frameHeader(1 + body.length), Uint8Array.of(kind), body]);
}

interface HelloChanges {
  readonly genesis?: Uint8Array;
  readonly id?: string;
  readonly role?: LinkRole;
  readonly channel?: Uint8Array;
  readonly signer?: string;
  readonly key?: string;
  readonly run?: Uint8Array;
}

/** The HELLO of `id` on this socket, changed in some respect. */
function hello(network: TestNetwork, socket: TLSSocket, id: string, changes: HelloChanges = {}): Uint8Array {
  const terms = {
    genesisHash: changes.genesis ?? genesisHash,
    id: changes.id ?? id,
    role: changes.role ?? "dialer",
    channel:
      changes.channel ?? socket.exportKeyingMaterial(channelBinding.length, channelBinding.label, Buffer.alloc(0)),
    run: changes.run ?? new Uint8Array(8),
  } as const;
  const key = changes.key ?? `key of ${changes.id ?? id}`;
  return encodeHello(terms, Buffer.from(key), network.sign(changes.signer ?? id, helloStatement(terms)));
}

/** Dials `node` as the first node of the network, and is let in. */
async function join(network: TestNetwork, node: TestNode): Promise<TLSSocket> {
  const [id] = network.ids as [string];
  const socket = dial(node.port, network.authority.cert, await network.certificate(id));
  await secured(socket);
  socket.write(frame(0, hello(network, socket, id)));
  await until(() => node.connected.has(id));
  return socket;
}

test("four nodes find each other by one connection a pair and hear what the others broadcast", async () => {
  await withNetwork(4, async (network) => {
    // On a slow machine too the higher id need not dial.
    const nodes = await network.startAll({ limits: { ...quick, redial_max_ms: 60_000 } });
    for (const node of nodes) assert.equal(node.network.broadcast(Buffer.from(`from ${node.id}`)), 3);
    await until(() => nodes.every((node) => node.received.length === 3));
    for (const node of nodes) {
      for (const { from, bytes } of node.received) assert.equal(Buffer.from(bytes).toString(), `from ${from}`);
      assert.equal(node.network.counters().connections, 3);
      assert.deepEqual(node.refused, []);
    }
    // The lower id dials: six pairs, six connections.
    const dials = nodes.reduce((sum, node) => sum + node.network.counters().dials, 0);
    assert.equal(dials, 6);
  });
});

test("messages of every size arrive whole and in order, both ways", async () => {
  await withNetwork(2, async (network) => {
    const [low, high] = (await network.startAll()) as [TestNode, TestNode];
    const sizes = [0, 1, 5, 16_383, 16_384, 70_000, 3 * MIB, 2, 0, 1_000_000];
    for (const [index, size] of sizes.entries()) {
      assert.ok(low.network.send(high.id, new Uint8Array(size).fill(index)));
      assert.ok(high.network.send(low.id, new Uint8Array(size).fill(index + 100)));
    }
    await until(() => low.received.length === sizes.length && high.received.length === sizes.length);
    for (const [index, size] of sizes.entries()) {
      assert.deepEqual(high.received[index]!.bytes, new Uint8Array(size).fill(index));
      assert.deepEqual(low.received[index]!.bytes, new Uint8Array(size).fill(index + 100));
    }
  });
});

test("a peer that stops and comes back is missed, dialled again and served", async () => {
  await withNetwork(2, async (network) => {
    const [low, high] = (await network.startAll()) as [TestNode, TestNode];
    await high.network.close();
    await until(() => low.connected.size === 0);
    assert.equal(low.network.send(high.id, Uint8Array.of(1)), false);
    const again = await network.start(high.id, {}, { listen: { host: "127.0.0.1", port: high.port } });
    await until(() => low.connected.has(high.id) && again.connected.has(low.id));
    assert.ok(low.network.send(high.id, Uint8Array.of(2)));
    await until(() => again.received.length === 1);
  });
});

test("a node whose address nobody knows comes by itself, is heard, and comes again", async () => {
  await withNetwork(3, async (network) => {
    const [low, middle, high] = network.ids as [string, string, string];
    const old = await network.start(middle, {}, { knows: [] });
    // Both would have to wait to be dialled, or not: the one with the higher id as well as the one with the lower.
    const joiners = await Promise.all(
      [low, high].map((id) => network.start(id, { [middle]: old.port }, { knows: [middle] })),
    );
    await until(() => old.connected.size === 2 && joiners.every((joiner) => joiner.connected.has(middle)));
    for (const joiner of joiners) assert.ok(old.network.send(joiner.id, Uint8Array.of(1)));
    await until(() => joiners.every((joiner) => joiner.received.length === 1));
    await old.network.close();
    await until(() => joiners.every((joiner) => joiner.connected.size === 0));
    const again = await network.start(middle, {}, { knows: [], listen: { host: "127.0.0.1", port: old.port } });
    await until(() => again.connected.size === 2);
    for (const joiner of joiners) await joiner.network.close();
    await until(() => again.connected.size === 0);
    assert.equal(again.network.send(high, Uint8Array.of(1)), false);
  });
});

test("a node that is banned loses its link, and gets no other, whoever dials", async () => {
  // The lowest dials the others, the highest is dialled by them.
  for (const banned of [0, 2]) {
    const network = await createTestNetwork(3);
    try {
      const bans = new Set<string>();
      const nodes = await network.startAll({ isBanned: (id) => bans.has(id) });
      await until(() => nodes.every(({ connected }) => connected.size === 2));
      const { id } = nodes[banned]!;
      const others = nodes.filter((node) => node.id !== id);
      bans.add(id);
      for (const node of others) node.network.onBans();
      await until(() => others.every(({ connected }) => !connected.has(id) && connected.size === 1));
      const dials = others.map((node) => node.network.counters().dials);
      const refusals = banned === 0 ? 3 : 1;
      await until(() =>
        others.every(({ refused }) => refused.filter((reason) => reason === "banned").length >= refusals),
      );
      await delay(4 * quick.redial_max_ms);
      assert.deepEqual(
        others.map((node) => node.network.counters().dials),
        dials,
      );
      assert.ok(others.every(({ connected }) => connected.size === 1));
    } finally {
      await network.stop();
    }
  }
});

test("addresses change while the links are up: a peer that moved is dialled where it is now, one that stayed keeps its link", async () => {
  await withNetwork(3, async (network) => {
    const [low, middle, high] = (await network.startAll()) as [TestNode, TestNode, TestNode];
    await high.network.close();
    await until(() => !low.connected.has(high.id));
    const moved = await network.start(high.id, {}, { knows: [] });
    assert.notEqual(moved.port, high.port);
    const { dials } = low.network.counters();
    low.network.setPeers([
      { id: middle.id, host: "127.0.0.1", port: middle.port },
      { id: high.id, host: "127.0.0.1", port: moved.port },
    ]);
    await until(() => low.connected.has(high.id) && moved.connected.has(low.id));
    assert.ok(low.network.counters().dials > dials);
    assert.ok(low.connected.has(middle.id));
    low.network.setPeers([]);
    assert.ok(low.network.send(middle.id, Uint8Array.of(1)), "a link in use stays without an address");
    await middle.network.close();
    await until(() => !low.connected.has(middle.id));
    assert.throws(() => low.network.setPeers([{ id: "node-1", host: "h", port: 1 }]), GridsealError);
  });
});

test("a peer that sends more messages a second than the limit is read no faster, and loses none", async () => {
  await withNetwork(2, async (network) => {
    const limits = { ...quick, messages_per_s_max: 50 };
    const [low, high] = (await network.startAll({ limits })) as [TestNode, TestNode];
    for (let index = 0; index < 100; index += 1) {
      assert.ok(low.network.send(high.id, new Uint8Array(2_000).fill(index)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => high.received.length === 100);
    assert.ok(high.network.counters().throttled >= 1);
    assert.deepEqual(
      high.received.map(({ bytes }) => bytes[0]),
      Array.from({ length: 100 }, (_, index) => index),
    );
  });
});

test("probes and answers count as messages do: who sends nothing else is read no faster either", async () => {
  for (const kind of [2, 3]) {
    await withNetwork(2, async (network) => {
      const node = await network.start(network.ids[1]!, {}, { limits: { ...quick, messages_per_s_max: 50 } });
      const peer = await join(network, node);
      const frame = Buffer.concat([frameHeader(1), Uint8Array.of(kind)]);
      peer.write(Buffer.concat(Array.from({ length: 100 }, () => frame)));
      await until(() => node.network.counters().throttled >= 1);
      assert.ok(node.connected.has(network.ids[0]!));
    });
  }
});

test("a dialer that comes again takes the place of the connection that its peer still believes in", async () => {
  await withNetwork(2, async (network) => {
    const node = await network.start(network.ids[1]!, {});
    const first = await join(network, node);
    const gone = ended(first);
    await join(network, node);
    await gone;
    assert.equal(node.network.counters().connections, 1);
  });
});

test("a node that finds its port taken says which", async () => {
  await withNetwork(2, async (network) => {
    const node = await network.start(network.ids[1]!, {});
    await assert.rejects(
      network.start(network.ids[1]!, {}, { listen: { host: "127.0.0.1", port: node.port } }),
      (error) =>
        error instanceof GridsealError && error.code === "PORT_UNAVAILABLE" && error.message.includes(`${node.port}`),
    );
  });
});

describe("a stranger is refused with a counted reason, and the peers are served on:", () => {
  const cases: Readonly<
    Record<string, { reason: string; act: (network: TestNetwork, port: number) => Promise<Socket> }>
  > = {
    "no certificate": {
      reason: "tls",
      act: async (network, port) => dial(port, network.authority.cert, {}),
    },
    "a certificate of another authority": {
      reason: "tls",
      act: async (network, port) => {
        const foreign = await createNetworkAuthority("test", new Date());
        const request = { id: network.ids[0]!, hosts: [] };
        return dial(port, network.authority.cert, await createNodeCertificate(foreign, request, new Date()));
      },
    },
    "TLS 1.2": {
      reason: "tls",
      act: async (network, port) =>
        dial(port, network.authority.cert, await network.certificate(network.ids[0]!), "TLSv1.2"),
    },
    "no TLS at all": {
      reason: "tls",
      act: async (_network, port) => {
        const socket = connectTcp(port, "127.0.0.1");
        socket.on("error", () => undefined);
        socket.write("GET / HTTP/1.1\r\n\r\n");
        return socket;
      },
    },
    "a name that is no node's": {
      reason: "unknown-peer",
      act: async (network, port) => {
        const request = { id: "somebody", hosts: [] };
        return dial(port, network.authority.cert, await createNodeCertificate(network.authority, request, new Date()));
      },
    },
    ...helloCases(),
  };

  for (const [name, { reason, act }] of Object.entries(cases)) {
    test(name, async () => {
      await withNetwork(3, async (network) => {
        const limits = { ...quick, hello_timeout_ms: 200 };
        const [, high] = network.ids as [string, string, string];
        const node = await network.start(high, {}, { limits });
        await ended(await act(network, node.port));
        await until(() => node.refused.length > 0);
        assert.deepEqual(node.refused, [reason]);
        assert.deepEqual(node.network.counters().refused, { [reason]: 1 });
        assert.equal(node.connected.size, 0);
        await join(network, node);
      });
    });
  }
});

function helloCases() {
  const afterTls =
    (bytes: (network: TestNetwork, socket: TLSSocket) => Uint8Array) =>
    async (network: TestNetwork, port: number): Promise<Socket> => {
      const socket = dial(port, network.authority.cert, await network.certificate(network.ids[0]!));
      await secured(socket);
      socket.write(bytes(network, socket));
      return socket;
    };
  const changed = (changes: HelloChanges) =>
    afterTls((network, socket) => frame(0, hello(network, socket, network.ids[0]!, changes)));
  return {
    "a HELLO of another genesis": { reason: "hello-genesis", act: changed({ genesis: new Uint8Array(32) }) },
    "a HELLO in another's name": { reason: "hello-identity", act: changed({ id: "0000000000000003" }) },
    "its own role turned round": { reason: "hello-identity", act: changed({ role: "listener" }) },
    "a HELLO that another signed": { reason: "hello-signature", act: changed({ signer: "0000000000000003" }) },
    "a HELLO of another channel": { reason: "hello-signature", act: changed({ channel: new Uint8Array(32) }) },
    "a HELLO whose run is none": { reason: "hello-malformed", act: changed({ run: new Uint8Array(7) }) },
    "a HELLO that is not CBOR": { reason: "hello-malformed", act: afterTls(() => frame(0, Uint8Array.of(0x5f, 1, 2))) },
    "a message before its HELLO": { reason: "frame-malformed", act: afterTls(() => frame(1, Uint8Array.of(1))) },
    "an oversized claim before its HELLO": {
      reason: "frame-oversized",
      act: afterTls(() => frameHeader(256 * MIB)),
    },
    "no HELLO in time": { reason: "hello-late", act: afterTls(() => Uint8Array.of(0)) },
    "no handshake in time": {
      reason: "tls",
      act: async (_network: TestNetwork, port: number): Promise<Socket> => connectTcp(port, "127.0.0.1"),
    },
  };
}

test("a dialer refuses a listener whose certificate is another node's", async () => {
  await withNetwork(3, async (network) => {
    const [low, middle, high] = network.ids as [string, string, string];
    const impostor = await network.start(high, {});
    // The dialer expects `middle` at the port where `high` listens.
    const node = await network.start(low, { [middle]: impostor.port, [high]: impostor.port });
    await until(() => node.connected.has(high) && node.refused.length > 1);
    assert.equal(node.connected.has(middle), false);
    assert.ok(node.refused.every((reason) => reason === "tls"));
  });
});

test("a peer that is not reached is told of with the reason, once, until it was there", async () => {
  await withNetwork(3, async (network) => {
    const [low, middle, high] = network.ids as [string, string, string];
    const impostor = await network.start(high, {}, { knows: [] });
    const held = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => held.once("listening", resolve));
    const { port } = held.address() as AddressInfo;
    await new Promise((resolve) => held.close(resolve));
    // Nobody listens for `high`; `high` listens where `middle` is expected.
    const node = await network.start(low, { [middle]: impostor.port, [high]: port });
    await until(() => node.unreached.length === 2);
    assert.match(node.unreached.find((line) => line.startsWith(middle))!, /certificate is not that of/);
    assert.match(node.unreached.find((line) => line.startsWith(high))!, /ECONNREFUSED/);
    const { dials } = node.network.counters();
    await until(() => node.network.counters().dials > dials + 4);
    assert.equal(node.unreached.length, 2, "each reason once");
    const there = await network.start(high, {}, { knows: [], listen: { host: "127.0.0.1", port } });
    await until(() => node.connected.has(high));
    await there.network.close();
    await until(() => node.unreached.length === 3);
  });
});

test("a peer that claims a frame of 256 MiB, or sends an unknown kind, loses its link and nothing is buffered", async () => {
  await withNetwork(3, async (network) => {
    const node = await network.start(network.ids[1]!, {});
    for (const [bytes, reason] of [
      [frameHeader(256 * MIB), "frame-oversized"],
      [frameHeader(0), "frame-malformed"],
      [frame(9, new Uint8Array(3)), "frame-malformed"],
      [frame(0, new Uint8Array(3)), "frame-malformed"],
    ] as const) {
      const socket = await join(network, node);
      const gone = ended(socket);
      socket.write(bytes);
      await gone;
      await until(() => node.connected.size === 0);
      assert.equal(node.refused.at(-1), reason);
    }
    await join(network, node);
  });
});

test("a flooding peer is paused while its messages are processed, and another peer is served meanwhile", async () => {
  await withNetwork(3, async (network) => {
    const limits = { ...quick, processing_bytes_max: MIB, queue_bytes_max: 4 * MIB };
    const [flooder, quiet, victimId] = network.ids as [string, string, string];
    let processing_bytes = 0;
    let most_bytes = 0;
    let served = 0;
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const victim = await network.start(
      victimId,
      {},
      {
        limits,
        onMessage: async (from, message) => {
          if (from === quiet) {
            served += 1;
            return;
          }
          processing_bytes += message.length;
          most_bytes = Math.max(most_bytes, processing_bytes);
          await released;
          processing_bytes -= message.length;
        },
      },
    );
    const first = await network.start(flooder, { [victimId]: victim.port }, { limits });
    const second = await network.start(quiet, { [victimId]: victim.port }, { limits });
    await until(() => first.connected.has(victimId) && second.connected.has(victimId));

    const chunk = new Uint8Array(64 * 1024);
    let refused = false;
    for (let sent = 0; sent < 2000 && !refused; sent += 1) {
      refused = !first.network.send(victimId, chunk);
      if (sent % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(refused, "the flooder's own queue fills up");
    assert.ok(first.network.counters().frames_dropped > 0);
    assert.ok(victim.network.counters().pauses > 0);
    assert.ok(most_bytes <= 2 * MIB, `${most_bytes} bytes in processing`);
    second.network.send(victimId, Uint8Array.of(1));
    await until(() => served === 1);

    release();
    const { frames_sent } = first.network.counters();
    await until(() => victim.network.counters().frames_received === frames_sent + 1);
    assert.equal(processing_bytes, 0);
  });
});

test("a handler that throws or rejects is counted, and the link outlives it", async () => {
  await withNetwork(2, async (network) => {
    let count = 0;
    const onMessage = (): Promise<void> => {
      count += 1;
      if (count === 1) throw new Error("thrown");
      return count === 2 ? Promise.reject(new Error("rejected")) : Promise.resolve();
    };
    const [low, high] = (await network.startAll({ onMessage })) as [TestNode, TestNode];
    for (let index = 0; index < 3; index += 1) low.network.send(high.id, Uint8Array.of(index));
    await until(() => count === 3 && high.refused.length === 2);
    assert.deepEqual(high.refused, ["Error: thrown", "Error: rejected"]);
    assert.equal(high.network.counters().handler_failures, 2);
    assert.ok(high.connected.has(low.id));
  });
});

test("a message above the agreed limit is not sent", async () => {
  await withNetwork(2, async (network) => {
    const [low, high] = (await network.startAll({ limits: { ...quick, frame_bytes_max: 1000 } })) as [
      TestNode,
      TestNode,
    ];
    assert.equal(low.network.send(high.id, new Uint8Array(1001)), false);
    assert.ok(low.network.send(high.id, new Uint8Array(1000)));
    assert.equal(low.network.counters().frames_unsendable, 1);
    await until(() => high.received.length === 1);
  });
});

test("a peer that falls silent is noticed after something was sent to it, an idle one is never asked", async () => {
  await withNetwork(3, async (network) => {
    const limits = { ...quick, probe_after_ms: 50, silent_after_ms: 150 };
    const [low, middle, high] = network.ids as [string, string, string];
    const listener = await network.start(high, {}, { limits });
    // Between dialer and listener stands a wire that can be cut without either end being told.
    let cut = false;
    const wire = createServer((near) => {
      const far = connectTcp(listener.port, "127.0.0.1");
      near.on("data", (bytes) => cut || far.write(bytes));
      far.on("data", (bytes) => cut || near.write(bytes));
      for (const socket of [near, far]) socket.on("error", () => undefined);
      near.on("close", () => far.destroy());
      far.on("close", () => near.destroy());
    });
    await new Promise<void>((resolve) => wire.listen(0, "127.0.0.1", resolve));
    try {
      const address = wire.address();
      assert.ok(address && typeof address === "object");
      const dialer = await network.start(low, { [high]: address.port }, { limits });
      const bystander = await network.start(middle, { [high]: listener.port }, { limits });
      await until(() => dialer.connected.has(high) && bystander.connected.has(high));

      // A link that answers probes is kept.
      dialer.network.send(high, Uint8Array.of(1));
      await until(() => dialer.network.counters().probes_sent === 1);
      await new Promise((resolve) => setTimeout(resolve, 250));
      assert.ok(dialer.connected.has(high));
      assert.equal(dialer.network.counters().probes_sent, 1);

      cut = true;
      dialer.network.send(high, Uint8Array.of(2));
      await until(() => dialer.refused.includes("silent"));
      assert.equal(bystander.network.counters().probes_sent, 0);
      cut = false;
      await until(() => dialer.connected.has(high));
    } finally {
      await new Promise<void>((resolve) => {
        wire.close(() => resolve());
        void network.stop();
      });
    }
  });
});

test("strangers at the door make room for each other, oldest first, and cannot keep a peer out", async () => {
  await withNetwork(2, async (network) => {
    const limits = { ...quick, strangers_max: 4, hello_timeout_ms: 60_000 };
    const node = await network.start(network.ids[1]!, {}, { limits });
    const strangers = Array.from({ length: 20 }, () => connectTcp(node.port, "127.0.0.1"));
    let open = strangers.length;
    for (const socket of strangers) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        open -= 1;
      });
      socket.resume();
    }
    await until(() => open === 4);
    await join(network, node);
    assert.ok((node.network.counters().refused.crowded ?? 0) >= 16);
    for (const socket of strangers) socket.destroy();
  });
});

test("an admitted peer is not pushed out by strangers", async () => {
  await withNetwork(2, async (network) => {
    const limits = { ...quick, strangers_max: 2, hello_timeout_ms: 60_000 };
    const node = await network.start(network.ids[1]!, {}, { limits });
    await join(network, node);
    const strangers = Array.from({ length: 10 }, () => connectTcp(node.port, "127.0.0.1").on("error", () => undefined));
    await until(() => (node.network.counters().refused.crowded ?? 0) >= 8);
    assert.ok(node.connected.has(network.ids[0]!));
    for (const socket of strangers) socket.destroy();
  });
});

test("two processes with one node's key are seen by their peers, a restarted one is none", async (t) => {
  const network = await createTestNetwork(2);
  t.after(() => network.stop());
  const [low, high] = network.ids as [string, string];
  const node = await network.start(low, {});
  for (let run = 0; run < 3; run += 1) {
    const earlier = await network.start(high, { [low]: node.port });
    await until(() => node.connected.has(high));
    await earlier.network.close();
    await until(() => !node.connected.has(high));
  }
  assert.deepEqual(node.double, []);
  await network.start(high, { [low]: node.port });
  await network.start(high, { [low]: node.port });
  await until(() => node.double.length > 0);
  assert.equal(node.double[0], high);
});
