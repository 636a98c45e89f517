import assert from "node:assert/strict";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { type GuardedConnection, guardSocket } from "../../../tools/node/ingest/guarded-socket.js";
import { createPacketGuard, defaultGuardLimits, type GuardLimits } from "../../../tools/node/ingest/packet-guard.js";
import { until } from "../network/cluster.js";

const limits: GuardLimits = {
  ...defaultGuardLimits,
  packet_bytes_max: 1_000,
  packets_per_s: 1_000_000,
  stranger_packets_max: 1_000_000,
  stranger_packets_per_s: 1_000_000,
  bytes_per_s: 1e9,
};
const connect = packet(0x10, 12);

/** A packet with this first byte and so many bytes behind the fixed header, all in order where there is room for it. */
function packet(first: number, length: number): Uint8Array {
  const header = [first];
  let rest = length;
  do {
    const digit = rest % 128;
    rest = Math.floor(rest / 128);
    header.push(rest > 0 ? digit | 0x80 : digit);
  } while (rest > 0);
  const body = new Uint8Array(length);
  body.set(bodyOf(first, length).slice(0, length));
  return Buffer.concat([Uint8Array.from(header), body]);
}

/** MQTT 3.1.1, sections 3.1 to 3.10. */
function bodyOf(first: number, length: number): readonly number[] {
  const text = (size: number) => [size >> 8, size & 255, ...Array(Math.max(0, size)).fill(97)];
  switch (first >> 4) {
    case 1:
      return [0, 4, ...Buffer.from("MQTT"), 4, 2, 0, 0, ...text(length - 12)];
    case 3:
      return [0, 1, 97, 0, 1];
    case 8:
      return [0, 1, ...text(length - 5), 1];
    case 10:
      return [0, 1, ...text(length - 4)];
    default:
      return [0, 7];
  }
}

/** The least and the most bytes that the packet may have behind its fixed header. */
function lengths(first: number): readonly [number, number] {
  const least = new Map([
    [3, 5],
    [8, 6],
    [10, 5],
  ]).get(first >> 4);
  if (least !== undefined) return [least, 997];
  return first >> 4 === 4 ? [2, 2] : [0, 0];
}

function inspectAll(bytes: Uint8Array, cuts: readonly number[] = []): string | undefined {
  const guard = createPacketGuard(limits);
  let start = 0;
  for (const cut of [...cuts.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    const refusal = guard.inspect(bytes.subarray(start, cut), 0);
    if (refusal) return refusal;
    start = cut;
  }
  return undefined;
}

test("passes every packet that a client of QoS 0 and 1 may send, however the stream is cut", () => {
  const firsts = [0x30, 0x31, 0x32, 0x33, 0x3a, 0x40, 0x82, 0xa2, 0xc0, 0xe0];
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...firsts), fc.nat(997)), { maxLength: 20 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      (drawn, cuts) => {
        const packets = drawn.map(([first, length]) => {
          const [least, most] = lengths(first);
          return [first, Math.min(most, Math.max(least, length))] as const;
        });
        const bytes = Buffer.concat([connect, ...packets.map(([first, length]) => packet(first, length))]);
        const guard = createPacketGuard(limits);
        assert.equal(inspectAll(bytes, cuts), undefined);
        assert.equal(guard.inspect(bytes, 0), undefined);
        assert.equal(guard.packets(), packets.length + 1);
        assert.equal(guard.isInsidePacket(), false);
      },
    ),
  );
});

test("judges the same bytes the same, however they are cut", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 20 }), (noise, cuts) => {
      const bytes = Buffer.concat([connect, noise]);
      assert.equal(inspectAll(bytes, cuts), inspectAll(bytes));
    }),
  );
});

test("keeps whole acknowledgements and all publications from the broker, whole and in order however they are cut", () => {
  const puback = Uint8Array.of(0x40, 2, 0, 7);
  const publications = [packet(0x32, 300), packet(0x30, 7), packet(0x32, 997)];
  const others = [...publications, packet(0xc0, 0), packet(0x82, 20), packet(0xa2, 9)];
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(puback, puback, ...others), { maxLength: 20 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      (packets, cuts) => {
        const bytes = Buffer.concat(packets);
        const published = packets.filter((each) => publications.includes(each)).map(Buffer.from);
        const rest = Buffer.concat(packets.filter((each) => each !== puback && !publications.includes(each)));
        for (const cut_at of [[], cuts]) {
          const guard = createPacketGuard(limits);
          guard.inspect(connect, 0);
          const places = [0, ...cut_at.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
          const apart: Buffer[] = [];
          const through = places.slice(1).map((to, index) => {
            const piece = Buffer.from(bytes.subarray(places[index], to));
            assert.equal(guard.inspect(piece, 0), undefined);
            apart.push(...guard.publications().map(Buffer.from));
            return Buffer.from(guard.passed(piece));
          });
          assert.deepEqual(apart, published);
          // An acknowledgement that was cut is passed.
          const again = createPacketGuard(limits);
          again.inspect(connect, 0);
          const stream = Buffer.concat(through);
          assert.equal(again.inspect(stream, 0), undefined);
          assert.equal(Buffer.from(again.passed(stream)).toString("hex"), rest.toString("hex"));
        }
      },
    ),
  );
});

test("refuses what is not the first packet of a client, or no packet of a client at all", () => {
  const cases: readonly (readonly [string, string, readonly Uint8Array[]])[] = [
    ["an HTTP request", "not-connect", [Buffer.from("GET / HTTP/1.1\r\n")]],
    ["a publication before CONNECT", "not-connect", [packet(0x32, 10)]],
    ["a TLS hello", "malformed", [Uint8Array.of(0x16, 3, 1, 2, 0)]],
    ["CONNECT with flags", "malformed", [packet(0x11, 12)]],
    ["a second CONNECT", "malformed", [connect, connect]],
    ["CONNACK from a client", "malformed", [connect, packet(0x20, 2)]],
    ["type 0", "malformed", [connect, packet(0x00, 0)]],
    ["AUTH of MQTT 5", "malformed", [connect, packet(0xf0, 2)]],
    ["SUBSCRIBE with wrong flags", "malformed", [connect, packet(0x80, 10)]],
    ["PUBREL of a QoS that is not served", "malformed", [connect, packet(0x62, 2)]],
    ["QoS 3", "malformed", [connect, packet(0x36, 10)]],
    ["QoS 2", "quality-of-service", [connect, packet(0x34, 10)]],
  ];
  for (const [name, reason, packets] of cases) assert.equal(inspectAll(Buffer.concat(packets)), reason, name);
});

test("refuses a packet by its claimed length, before its body comes", () => {
  assert.equal(inspectAll(Buffer.concat([connect, packet(0x32, 997)])), undefined);
  assert.equal(inspectAll(Buffer.concat([connect, packet(0x32, 998).subarray(0, 3)])), "oversized");
  // 256 MB, the largest claim that the format has, and one that it has not.
  assert.equal(inspectAll(Buffer.concat([connect, Uint8Array.of(0x32, 0xff, 0xff, 0xff, 0x7f)])), "oversized");
  assert.equal(inspectAll(Buffer.concat([connect, Uint8Array.of(0x32, 0x80, 0x80, 0x80, 0x80)])), "malformed");
  assert.equal(inspectAll(Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0x7f)), "oversized");
});

test("asks for a pause once a client is ahead of its rate, and for none when time has passed", () => {
  const guard = createPacketGuard({ ...limits, packets_per_s: 10, bytes_per_s: 10_000 });
  assert.equal(guard.inspect(Buffer.concat([connect, ...Array(9).fill(packet(0xc0, 0))]), 1_000), undefined);
  assert.equal(guard.pause_ms(), 0);
  assert.equal(guard.inspect(packet(0xc0, 0), 1_000), undefined);
  assert.equal(guard.pause_ms(), 100);
  guard.inspect(new Uint8Array(0), 1_100);
  assert.equal(guard.pause_ms(), 0);
});

test("counts bytes as well as packets, and saves up no more than a second's worth", () => {
  const guard = createPacketGuard({ ...limits, bytes_per_s: 1_000 });
  guard.inspect(connect, 0);
  guard.inspect(packet(0x32, 900), 3_600_000);
  guard.inspect(packet(0x32, 900), 3_600_000);
  assert.ok(guard.pause_ms() > 700 && guard.pause_ms() < 900, `${guard.pause_ms()} ms`);
});

test("refuses a client that sends seconds' worth of packets in one piece", () => {
  const guard = createPacketGuard({ ...limits, packets_per_s: 10 });
  assert.equal(guard.inspect(Buffer.concat([connect, ...Array(40).fill(packet(0xc0, 0))]), 0), "flood");
});

test("a clock that stands still or steps back gives no tokens", () => {
  const guard = createPacketGuard({ ...limits, packets_per_s: 10 });
  guard.inspect(Buffer.concat([connect, ...Array(10).fill(packet(0xc0, 0))]), 1_000);
  guard.inspect(new Uint8Array(0), 500);
  assert.equal(guard.pause_ms(), 100);
});

/** A guarded connection on loopback: the broker's stream and the client's socket. */
async function withConnection(
  guardLimits: GuardLimits,
  body: (stream: GuardedConnection, client: Socket, refused: string[]) => Promise<void>,
): Promise<void> {
  const refused: string[] = [];
  let stream: GuardedConnection | undefined;
  const server = createServer((socket) => {
    stream = guardSocket(socket, guardLimits, {
      onRefused: (reason) => refused.push(reason),
      onThrottled: () => undefined,
      onStrange: () => 0,
    });
    stream.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connectTcp((server.address() as AddressInfo).port, "127.0.0.1");
  client.on("error", () => undefined);
  try {
    await until(() => stream !== undefined);
    await body(stream!, client, refused);
  } finally {
    client.destroy();
    stream?.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

test("a client that takes nothing is not read either, and is dropped after a while", async () => {
  await withConnection({ ...limits, packet_timeout_ms: 300 }, async (stream, client, refused) => {
    let read_bytes = 0;
    stream.on("data", (chunk: Uint8Array) => {
      read_bytes += chunk.length;
    });
    client.write(connect);
    await until(() => read_bytes === connect.length);
    // The client never reads; this is more than loopback's buffers hold.
    for (let count = 0; count < 64; count += 1) stream.write(new Uint8Array(1024 * 1024));
    client.write(packet(0x32, 900));
    await until(() => refused.length > 0);
    assert.deepEqual(refused, ["unread"]);
    assert.ok(stream.destroyed);
  });
});

test("a client that reads again in time is read on and loses nothing", async () => {
  await withConnection({ ...limits, packet_timeout_ms: 60_000 }, async (stream, client, refused) => {
    let read_bytes = 0;
    let written_bytes = 0;
    stream.on("data", (chunk: Uint8Array) => {
      read_bytes += chunk.length;
    });
    stream.serve(async (publication) => {
      read_bytes += publication.length;
    });
    client.write(connect);
    for (let count = 0; count < 16; count += 1) stream.write(new Uint8Array(1024 * 1024));
    const publication = packet(0x32, 900);
    for (let count = 0; count < 1_000; count += 1) client.write(publication);
    client.on("data", (chunk) => {
      written_bytes += chunk.length;
    });
    await until(() => written_bytes === 16 * 1024 * 1024);
    await until(() => read_bytes === connect.length + 1_000 * publication.length);
    assert.deepEqual(refused, []);
  });
});

test("what a client sent before it closed is read to its end", async () => {
  await withConnection(limits, async (stream, client) => {
    client.end(Buffer.concat([connect, packet(0x32, 900), packet(0xe0, 0)]));
    await until(() => client.destroyed || stream.readableLength > 0);
    const chunks: Uint8Array[] = [];
    stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    await until(() => stream.destroyed);
    assert.equal(Buffer.concat(chunks).at(-2), 0xe0);
  });
});

test("publications before the client is served wait for it, those behind a subscription for its being read, all unharmed", async () => {
  await withConnection(limits, async (stream, client) => {
    const seen: string[] = [];
    const publication = (fill: number) => {
      const bytes = packet(0x32, 300);
      bytes.fill(fill, 20);
      return bytes;
    };
    stream.on("data", (chunk: Uint8Array) => seen.push(`passed ${chunk[0]}`));
    // What is passed is moved to the front of the chunk, over what waits.
    client.write(Buffer.concat([connect, publication(1), packet(0x82, 200), publication(2)]));
    await until(() => seen.length > 0);
    stream.serve(async (bytes) => {
      seen.push(`published ${new Set(bytes.subarray(20)).size} ${bytes.at(-1)}`);
    });
    await until(() => seen.length === 3);
    client.write(Buffer.concat([packet(0x82, 200), publication(3), packet(0xe0, 0)]));
    await until(() => seen.length === 5);
    assert.deepEqual(seen, ["passed 16", "published 1 1", "published 1 2", "passed 130", "published 1 3"]);
  });
});

test("what a client published before it took its leave is taken, though the broker closes at once", async () => {
  await withConnection(limits, async (stream, client) => {
    const seen: number[] = [];
    stream.serve(async (bytes) => {
      seen.push(bytes.length);
    });
    stream.on("data", (chunk: Uint8Array) => {
      if (chunk.at(-2) === 0xe0) stream.destroy();
    });
    const publication = packet(0x32, 300);
    client.write(Buffer.concat([connect, packet(0x82, 20), publication, packet(0xe0, 0)]));
    await until(() => stream.destroyed);
    assert.deepEqual(seen, [publication.length]);
  });
});
