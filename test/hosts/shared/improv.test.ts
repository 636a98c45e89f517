import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Setting } from "../../../hosts/shared/field.js";
import { Improv, JOIN_MS_MAX } from "../../../hosts/shared/improv.js";

const utf8 = new TextEncoder();

/** A packet as the specification has it: header, version, type, length, data, sum of all before. */
function packet(type: number, data: readonly number[], version = 1): number[] {
  const bytes = [...utf8.encode("IMPROV"), version, type, data.length, ...data];
  return [...bytes, bytes.reduce((sum, byte) => sum + byte, 0) % 256];
}

function command(number: number, strings: readonly string[] = []): number[] {
  const data = strings.flatMap((text) => [utf8.encode(text).length, ...utf8.encode(text)]);
  return packet(3, [number, data.length, ...data]);
}

/** Packets in what a device wrote, as a client finds them: each at the beginning of a line. */
function packetsIn(bytes: readonly number[]): (readonly [type: number, data: readonly number[]])[] {
  const found: (readonly [number, readonly number[]])[] = [];
  const header = [10, ...utf8.encode("IMPROV"), 1];
  for (let at = 0; at < bytes.length; at += 1) {
    if (!header.every((byte, index) => bytes[at + index] === byte)) continue;
    const [type, length] = [bytes[at + 8]!, bytes[at + 9]!];
    const whole = bytes.slice(at + 1, at + 10 + length + 1);
    const sum = whole.slice(0, -1).reduce((total, byte) => total + byte, 0) % 256;
    assert.equal(whole.at(-1), sum, "the sum is right");
    assert.equal(bytes[at + 10 + length + 1], 10, "a line ends behind it");
    found.push([type, whole.slice(9, -1)]);
  }
  return found;
}

const result = (number: number, strings: readonly string[]) => {
  const data = strings.flatMap((text) => [utf8.encode(text).length, ...utf8.encode(text)]);
  return [4, [number, data.length, ...data]] as const;
};

function board() {
  const stored = new Map<Setting, string>();
  const written: number[] = [];
  const state = { down: "no Wi-Fi is set" as string | undefined, now_ms: 5_000, joined: 0 };
  const heard: [string, number, boolean][] = [];
  const improv = new Improv({
    field: {
      get: (setting) => stored.get(setting),
      set: (setting, value) => void stored.set(setting, value),
      remove: (setting) => void stored.delete(setting),
      uptime_ms: () => state.now_ms,
    },
    write: (bytes) => void written.push(...bytes),
    down: () => state.down,
    join: () => {
      state.joined += 1;
    },
    scan(onFound, onDone) {
      for (const one of heard) onFound(...one);
      onDone();
    },
    about: () => ["Gridseal", "7", "p1-adapter", "meter 0200deadbeef"],
  });
  /** Bytes come in; what is left of them for lines. */
  const take = (bytes: readonly number[]) => Buffer.from(improv.take(Uint8Array.from(bytes))).toString("latin1");
  const said = () => packetsIn(written.splice(0));
  return { improv, stored, state, heard, take, said };
}

test("stores the Wi-Fi that it is told, and says when the network has let it in", () => {
  const { improv, stored, state, take, said } = board();
  assert.equal(take(command(1, ["My WLAN", "mysecurepassword"])), "");
  assert.deepEqual(said(), [
    [2, [0]],
    [1, [3]],
  ]);
  assert.deepEqual(
    [...stored],
    [
      ["ssid", "My WLAN"],
      ["password", "mysecurepassword"],
    ],
  );
  improv.watch();
  assert.deepEqual(said(), []);
  take(command(2));
  assert.deepEqual(said(), [
    [2, [0]],
    [1, [3]],
  ]);
  state.down = undefined;
  improv.watch();
  assert.deepEqual(said(), [[1, [4]], result(1, [])]);
  take(command(2));
  assert.deepEqual(said(), [[2, [0]], [1, [4]], result(2, [])]);
  take(command(1, ["open", ""]));
  assert.deepEqual([...stored], [["ssid", "open"]], "an open network has no password");
});

test("takes no Wi-Fi with a control character in its name or its password", () => {
  const { stored, state, take, said } = board();
  for (const [ssid, password] of [
    ["My WLAN", "my\nsecure password"],
    ["My WLAN", "mysecurepassword\0"],
    ["My\rWLAN", "mysecurepassword"],
    ["My WLAN\x7f", ""],
  ] as const) {
    take(command(1, [ssid, password]));
    assert.deepEqual(said(), [[2, [1]]]);
  }
  assert.deepEqual([stored.size, state.joined], [0, 0]);
});

test("says that no network is joined where none comes in its time, and is ready again", () => {
  const { improv, state, take, said } = board();
  take(command(1, ["My WLAN", "a wrong password"]));
  said();
  assert.equal(state.joined, 1);
  state.now_ms += JOIN_MS_MAX - 1;
  improv.watch();
  assert.deepEqual(said(), []);
  state.now_ms += 1;
  improv.watch();
  assert.deepEqual(said(), [
    [2, [3]],
    [1, [2]],
  ]);
  improv.watch();
  assert.deepEqual(said(), []);
});

test("tells what it is and which networks it hears", () => {
  const { heard, take, said } = board();
  take(command(3));
  assert.deepEqual(said(), [[2, [0]], result(3, ["Gridseal", "7", "p1-adapter", "meter 0200deadbeef"])]);
  heard.push(["home", -60, false], ["café", -81, true]);
  take(command(4));
  assert.deepEqual(said(), [
    [2, [0]],
    result(4, ["home", "-60", "YES"]),
    result(4, ["café", "-81", "NO"]),
    result(4, []),
  ]);
  take(command(2));
  assert.deepEqual(said(), [
    [2, [0]],
    [1, [2]],
  ]);
});

test("refuses what is malformed, unknown or no Wi-Fi, and stores nothing of it", () => {
  const { stored, take, said } = board();
  const refused = (bytes: readonly number[], error: number) => {
    assert.equal(take(bytes), "");
    assert.deepEqual(said(), [[2, [error]]]);
  };
  const wrongSum = command(2);
  wrongSum[wrongSum.length - 1]! ^= 1;
  refused(wrongSum, 1);
  refused(command(5), 2);
  refused(packet(3, []), 1);
  refused(packet(3, [2, 7]), 1);
  refused(packet(3, [1, 3, 9, 65, 0]), 1);
  refused(command(1, ["only a name"]), 1);
  refused(command(1, ["", "mysecurepassword"]), 1);
  refused(command(1, ["a", "short"]), 1);
  refused(command(1, ["x".repeat(33), "mysecurepassword"]), 1);
  refused(command(1, ["a", "mysecurepassword", "more"]), 1);
  assert.equal(stored.size, 0);
  take(packet(1, [4]));
  assert.deepEqual(said(), [], "what a device says is no command");
});

test("lines between packets come through as they were typed, however the bytes are cut", () => {
  const line = fc
    .string({ unit: fc.constantFrom(...'IMPROVimprov {}"12'), maxLength: 20 })
    .map((text) => `${text}\r`)
    .filter((text) => !text.includes("IMPROV"));
  const packets = fc.constantFrom(command(2), command(3), command(4), command(1, ["home", "IMPROVED"]));
  fc.assert(
    fc.property(fc.array(fc.tuple(line, packets), { maxLength: 8 }), fc.integer({ min: 1, max: 50 }), (pairs, cut) => {
      const { take, said } = board();
      const bytes = pairs.flatMap(([text, sent]) => [...utf8.encode(text), ...sent]);
      let rest = "";
      for (let at = 0; at < bytes.length; at += cut) rest += take(bytes.slice(at, at + cut));
      assert.equal(rest, pairs.map(([text]) => text).join(""));
      assert.equal(said().filter(([type, [error]]) => type === 2 && error === 0).length, pairs.length);
    }),
  );
});

test("no bytes make it throw, and what comes of them is lines or packets that are whole", () => {
  const pieces = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(Uint8Array.from(utf8.encode("IMPROV\u0001\u0003")), Uint8Array.from(utf8.encode("IMPRO"))),
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (all) => {
      const { take, said } = board();
      const sent = all.reduce((sum, piece) => sum + piece.length, 0);
      const rest = all.reduce((sum, piece) => sum + take([...piece]).length, 0);
      assert.ok(rest <= sent);
      said();
    }),
  );
});

test("a packet that is cut short eats nothing of what is typed later", () => {
  const { state, take, said } = board();
  assert.equal(take(command(1, ["home", "mysecurepassword"]).slice(0, 14)), "");
  state.now_ms += 1_001;
  assert.equal(take([...utf8.encode("state\r")]), "state\r");
  assert.deepEqual(said(), []);
  assert.equal(take([...utf8.encode("IM")]), "");
  state.now_ms += 1_001;
  assert.equal(take([...utf8.encode("P\r")]), "IMP\r", "what was typed is kept");
  assert.equal(take(packet(3, [2, 0], 2)).slice(0, 7), "IMPROV\u0002", "another version is none of ours");
});
