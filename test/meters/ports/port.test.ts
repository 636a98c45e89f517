import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createReader } from "../../../src/meter/open-reader.js";
import type { Outcome, Protocol } from "../../../src/meter/reader.js";
import { createHousehold } from "../../../tools/emulators/household.js";
import { p1Telegram } from "../../../tools/emulators/p1-telegram.js";
import { openPort } from "../../../tools/emulators/port.js";
import { type MeterFeed, servePty } from "../../../tools/emulators/serve.js";
import { smlTelegram } from "../../../tools/emulators/sml-file.js";
import { GridsealError } from "../../../tools/errors.js";
import { readFrames, splitFrames } from "../../../tools/meters/ports/capture.js";
import { type MeterPort, parsePort } from "../../../tools/meters/ports/port-configuration.js";
import { serveGateway } from "./gateway.js";

const start_s = 1_700_000_000;
const folder = mkdtempSync(join(tmpdir(), "gridseal-port-"));
const capture = join(folder, "capture.txt");
const telegrams = [0, 10, 20].map((later_s) =>
  p1Telegram(createHousehold({ seed: 1, start_s }).step(start_s + later_s)),
);

before(() => writeFileSync(capture, Buffer.concat([Buffer.from("half a line\r\n"), ...telegrams])));
after(() => rmSync(folder, { recursive: true }));

const emulator: MeterFeed = (onBytes) => openPort({ kind: "emulator", seed: 4, interval_ms: 5 }, onBytes, assert.fail);

/** Reads a port until it has given `count` outcomes, and closes it. */
function outcomesFrom(port: MeterPort, count: number, protocol: Protocol = "p1"): Promise<Outcome[]> {
  return new Promise((resolve, reject) => {
    const reader = createReader(protocol);
    const outcomes: Outcome[] = [];
    const opened = openPort(
      port,
      (bytes) => {
        outcomes.push(...reader.push(bytes, 0));
        if (outcomes.length < count) return;
        opened.close();
        resolve(outcomes);
      },
      reject,
    );
  });
}

function errorFrom(port: MeterPort): Promise<GridsealError> {
  return new Promise((resolve) => {
    const opened = openPort(
      port,
      () => assert.fail("bytes from a port that cannot be opened"),
      (error) => {
        opened.close();
        resolve(error);
      },
    );
  });
}

test("an emulated household gives telegrams of the present", async () => {
  const before_s = Math.floor(Date.now() / 1000);
  for (const outcome of await outcomesFrom({ kind: "emulator", seed: 1, interval_ms: 5 }, 3)) {
    assert.ok(outcome.ok && outcome.time_s! >= before_s && outcome.time_s! <= Date.now() / 1000);
  }
});

test("a capture file gives its telegrams over and over", async () => {
  const outcomes = await outcomesFrom({ kind: "file", path: capture, interval_ms: 2 }, 7);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.ok && outcome.time_s! - start_s),
    [0, 10, 20, 0, 10, 20, 0],
  );
});

test("an emulated household speaks every protocol, each read by its reader", async () => {
  for (const protocol of ["p1", "sml", "hdlc", "mbus", "d0"] as const) {
    const port = parsePort({ kind: "emulator", seed: 4, interval_ms: 5, protocol });
    const [first] = await outcomesFrom(port, 1, protocol);
    assert.ok(first?.ok && first.registers.length > 0, protocol);
    assert.equal(first.protocol, protocol);
  }
  assert.throws(
    () => parsePort({ kind: "emulator", seed: 4, protocol: "morse" }),
    /protocol is "morse", expected p1, sml/,
  );
});

test("a capture of another protocol is split into its good frames", async () => {
  const file = join(folder, "capture.sml");
  const frames = [0, 10].map((later_s) => smlTelegram(createHousehold({ seed: 1, start_s }).step(start_s + later_s)));
  writeFileSync(file, Buffer.concat([Buffer.from("noise"), ...frames, frames[0]!.subarray(0, 50)]));
  assert.deepEqual(await readFrames(file), frames);
});

test("a capture is split into its telegrams and nothing of them is lost", async () => {
  assert.deepEqual(
    (await readFrames(capture)).map((frame) => Uint8Array.from(frame)),
    telegrams,
  );
  assert.deepEqual(splitFrames(Buffer.from("no telegram")), []);
});

test("a capture that is absent or holds no telegram is refused with the path", async () => {
  const absent = join(folder, "absent.txt");
  const error = await errorFrom({ kind: "file", path: absent, interval_ms: 1 });
  assert.equal(error.code, "FILE_UNREADABLE");
  assert.ok(error.message.includes(absent));
  const empty = join(folder, "empty.txt");
  writeFileSync(empty, "");
  assert.equal((await errorFrom({ kind: "file", path: empty, interval_ms: 1 })).code, "METER_PORT_FAILED");
});

test("a meter served over TCP is read by every client", async () => {
  const served = await serveGateway(emulator);
  const port: MeterPort = { kind: "tcp", host: "127.0.0.1", port: served.port };
  const both = await Promise.all([outcomesFrom(port, 3), outcomesFrom(port, 3)]);
  await served.close();
  for (const outcome of both.flat()) assert.ok(outcome.ok);
});

test("a TCP connection that ends is reported and opened again", async () => {
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    if (connections === 1) socket.end(telegrams[0]!.subarray(0, 100));
    else socket.write(telegrams[0]!);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const errors: GridsealError[] = [];
  const reader = createReader("p1");
  const outcomes = await new Promise<Outcome[]>((resolve) => {
    const opened = openPort(
      { kind: "tcp", host: "127.0.0.1", port: address.port },
      (bytes) => {
        const read = reader.push(bytes, 0);
        if (read.length === 0) return;
        opened.close();
        resolve(read);
      },
      (error) => errors.push(error),
    );
  });
  server.close();
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.reason)),
    ["truncated", "ok"],
  );
  assert.deepEqual(
    errors.map(({ code }) => code),
    ["METER_PORT_FAILED"],
  );
});

test("nothing is tried again after the port was closed", async () => {
  const error = await errorFrom({ kind: "tcp", host: "127.0.0.1", port: 1 });
  assert.match(error.message, /127\.0\.0\.1:1: .*ECONNREFUSED/);
});

const compiler = spawnSync("cc", ["--version"]).status === 0 ? false : "no C compiler";

test("a meter on a pseudo-terminal is read as a serial port, twice in turn", { skip: compiler }, async () => {
  const served = await servePty(emulator);
  try {
    for (let turn = 0; turn < 2; turn++) {
      const port: MeterPort = { kind: "serial", path: served.path, baud: 115200, parity: "none" };
      const outcomes = await outcomesFrom(port, 4);
      assert.ok(outcomes.at(-1)?.ok);
      assert.ok(outcomes.filter(({ ok }) => ok).length >= 3);
    }
    // A pseudo-terminal has no parity: the error says which setting failed, as it would for a real port.
    const error = await errorFrom({ kind: "serial", path: served.path, baud: 9600, parity: "even" });
    assert.match(error.message, /stty/);
  } finally {
    await served.close();
  }
});

test("what is written at a serial port reaches the meter, and a speed is set once it has left", {
  skip: compiler,
}, async () => {
  const served = await servePty(emulatorOf("modbus"));
  const question = Uint8Array.from(Buffer.from("010400000050f036", "hex"));
  const reader = createReader("modbus");
  reader.push(question, 0);
  try {
    const outcome = await new Promise<Outcome>((resolve, reject) => {
      const line = { baud: 9600, dataBits: 8, parity: "none" } as const;
      const port = openPort(
        { kind: "serial", path: served.path },
        (bytes) => {
          for (const read of reader.push(bytes, 0)) {
            port.close();
            resolve(read);
          }
        },
        reject,
        line,
      );
      port.setLine({ ...line, baud: 2400 });
      port.write(question);
    });
    assert.ok(outcome.ok && outcome.meter === "modbus-1");
    const stty = spawnSync("stty", [process.platform === "darwin" ? "-f" : "-F", served.path, "speed"]);
    assert.equal(stty.stdout.toString().trim(), "2400");
  } finally {
    await served.close();
  }
});

test("a gateway hands on what the meter is asked", async () => {
  const served = await serveGateway(emulatorOf("modbus"));
  const question = Uint8Array.from(Buffer.from("010400000050f036", "hex"));
  const bytes = await new Promise<Uint8Array>((resolve, reject) => {
    const port = openPort(
      { kind: "tcp", host: "127.0.0.1", port: served.port },
      (answer) => {
        clearInterval(timer);
        port.close();
        resolve(answer);
      },
      reject,
    );
    const timer = setInterval(() => port.write(question), 50);
  });
  await served.close();
  assert.deepEqual([...bytes.subarray(0, 3)], [1, 4, 160]);
});

/** An emulated meter of this protocol that hears every line. */
function emulatorOf(protocol: Protocol): MeterFeed {
  return (onBytes) => openPort({ kind: "emulator", seed: 4, interval_ms: 5, protocol }, onBytes, assert.fail);
}

test("a serial port that is no terminal is reported with its path", async () => {
  const error = await errorFrom({ kind: "serial", path: join(folder, "tty"), baud: 9600, parity: "none" });
  assert.equal(error.code, "METER_PORT_FAILED");
  assert.ok(error.message.includes(join(folder, "tty")));
});

test("a port that is none says so once, and gives nothing", async () => {
  const error = await errorFrom({ kind: "none" });
  assert.deepEqual(
    [error.code, error.message],
    ["METER_PORT_FAILED", "no port is named: name one as meter.port of configuration.json"],
  );
});

test("a stated port is completed", () => {
  assert.deepEqual(parsePort({ kind: "none" }), { kind: "none" });
  assert.deepEqual(parsePort({ kind: "serial", path: "/dev/ttyUSB0" }), {
    kind: "serial",
    path: "/dev/ttyUSB0",
  });
  assert.deepEqual(parsePort({ kind: "serial", path: "/dev/ttyUSB0", baud: 2400, dataBits: 8, parity: "even" }), {
    kind: "serial",
    path: "/dev/ttyUSB0",
    baud: 2400,
    dataBits: 8,
    parity: "even",
  });
  assert.deepEqual(parsePort({ kind: "emulator", seed: 3 }), {
    kind: "emulator",
    seed: 3,
    interval_ms: 1000,
    version: "5.0",
  });
  assert.deepEqual(parsePort({ kind: "tcp", host: "gateway", port: 2001 }), {
    kind: "tcp",
    host: "gateway",
    port: 2001,
  });
  assert.deepEqual(parsePort({ kind: "file", path: "a", interval_ms: 10 }), {
    kind: "file",
    path: "a",
    interval_ms: 10,
  });
});

test("a port that cannot be is refused with the field's name", () => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /kind/],
    [null, /kind/],
    ["tcp", /kind/],
    [{ kind: "usb" }, /kind is "usb"/],
    [{ kind: "serial" }, /path/],
    [{ kind: "serial", path: "/dev/ttyUSB0", baud: 12 }, /baud/],
    [{ kind: "serial", path: "/dev/ttyUSB0", parity: "odd" }, /parity/],
    [{ kind: "tcp", host: "gateway", port: 65536 }, /port/],
    [{ kind: "tcp", host: "", port: 1 }, /host/],
    [{ kind: "file", path: "a", interval_ms: 0 }, /interval_ms/],
    [{ kind: "emulator", seed: -1 }, /seed/],
    [{ kind: "emulator", seed: 1, version: "6.0" }, /version/],
  ];
  for (const [stated, message] of wrong) {
    assert.throws(
      () => parsePort(stated),
      (error) => {
        return error instanceof GridsealError && error.code === "CONFIGURATION_INVALID" && message.test(error.message);
      },
    );
  }
});
