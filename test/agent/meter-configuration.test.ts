import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Complaint } from "../../src/agent/checks.js";
import { checkMeter, lineOf, type MeterConfiguration } from "../../src/agent/meter-configuration.js";

const port = { kind: "serial", path: "/dev/ttyUSB0" };
const secret = "0123456789abcdef0123456789ABCDEF";

function complaintAbout(meter: object): string {
  const refused = checkMeter({ port, ...meter }, "$.meter");
  assert.ok(refused !== undefined, "it is refused");
  return `${refused.path} ${refused.reason}`;
}

function accepted(meter: object): Complaint | undefined {
  return checkMeter({ port, ...meter }, "$.meter");
}

describe("the meter's configuration", () => {
  test("takes every protocol with what belongs to it", () => {
    const keys = { encryption: secret, authentication: secret };
    const meters: readonly object[] = [
      { protocol: "p1", zoneOffset_s: 0, requireCrc: true, powerMax_W: 17_250 },
      { protocol: "p1", keys: { encryption: secret } },
      { protocol: "sml", profile: "dzg-dvs74" },
      { protocol: "hdlc", keys, profile: "kamstrup-norway" },
      { protocol: "mbus", keys },
      { protocol: "hdlc", keys: { encryption: secret }, acceptUnauthenticated: true },
      { protocol: "d0" },
      { protocol: "d0", request: { interval_s: 900, address: "Bla 0" }, profile: "emh-ehz-d0" },
      { protocol: "pulse", pulse: { impulses_per_kWh: 1000, start_Wh: 5_000_000, register: "1-0:2.8.0", id: "A1" } },
      { protocol: "modbus", modbus: { address: 247, interval_s: 2, map: "sdm120" } },
      { protocol: "modbus", modbus: { address: 1, interval_s: 2 }, profile: "abb-b23" },
      { protocol: "mbus", mbus: { interval_s: 60, address: 250 }, zoneOffset_s: 7200 },
      { protocol: "mbus", mbus: { interval_s: 60, id: "1234567FB5150107" } },
      { protocol: "tic", zoneOffset_s: -14_400 },
      { protocol: "push", requireCrc: true },
      { protocol: "auto", keys, request: { interval_s: 60 }, modbus: { address: 3, interval_s: 10 } },
    ];
    for (const meter of meters) assert.equal(accepted(meter), undefined, JSON.stringify(meter));
  });

  test("names the path, what is wrong and what it must be", () => {
    assert.match(complaintAbout({ protocol: "p2" }), /^\$\.meter\.protocol must be one of: p1, sml, .*auto$/);
    assert.match(complaintAbout({ protocol: "sml", profile: "abacus" }), /^\$\.meter\.profile must be one of: holley/);
    const keys = { encryption: "00" };
    assert.match(complaintAbout({ protocol: "hdlc", keys }), /^\$\.meter\.keys\.encryption must be 32 hex digits/);
    assert.match(complaintAbout({ protocol: "hdlc", keys: {} }), /^\$\.meter\.keys\.encryption is missing/);
    const request = { interval_s: 5 };
    assert.match(
      complaintAbout({ protocol: "d0", request }),
      /request\.interval_s must be an integer from 10 to 86400/,
    );
    const addressed = { interval_s: 60, address: "/!" };
    assert.match(complaintAbout({ protocol: "d0", request: addressed }), /request\.address must be 1 to 32 letters/);
    const pulse = { impulses_per_kWh: 0 };
    assert.match(complaintAbout({ protocol: "pulse", pulse }), /pulse\.impulses_per_kWh must be an integer from 1/);
    const reactive = { impulses_per_kWh: 1000, register: "1-0:3.8.0" };
    assert.match(complaintAbout({ protocol: "pulse", pulse: reactive }), /pulse\.register must be 1-0:1\.8\.n or/);
    const mbus = { interval_s: 60, id: "12" };
    assert.match(complaintAbout({ protocol: "mbus", mbus }), /mbus\.id must be 8 digits, or 16 hex digits/);
    const modbus = { address: 248, interval_s: 10 };
    assert.match(complaintAbout({ protocol: "modbus", modbus }), /modbus\.address must be an integer from 1 to 247/);
  });

  test("names what is missing, what does not belong together, and what is to be taken out", () => {
    assert.match(complaintAbout({ protocol: "pulse" }), /^\$\.meter\.pulse is missing: protocol pulse needs it/);
    assert.match(complaintAbout({ protocol: "modbus" }), /^\$\.meter\.modbus is missing/);
    assert.match(
      complaintAbout({ protocol: "sml", keys: { encryption: secret } }),
      /^\$\.meter\.keys is for p1, hdlc, mbus, auto, not for sml: take it out/,
    );
    for (const known of [{}, { keys: { encryption: secret, authentication: secret } }]) {
      assert.match(
        complaintAbout({ protocol: "hdlc", acceptUnauthenticated: true, ...known }),
        /^\$\.meter\.acceptUnauthenticated is for keys without an authentication key: take it out/,
      );
    }
    assert.match(complaintAbout({ protocol: "p1", request: { interval_s: 60 } }), /^\$\.meter\.request is for d0/);
    assert.match(complaintAbout({ protocol: "mbus", profile: "holley-dtz541" }), /does not speak mbus/);
    assert.equal(accepted({ protocol: "mbus", profile: "kaifa-norway" }), undefined);
  });

  test("checks the line of a serial port and leaves all other ports to the platform", () => {
    assert.match(
      complaintAbout({ protocol: "p1", port: { ...port, baud: 1234 } }),
      /^\$\.meter\.port\.baud must be one/,
    );
    assert.match(
      complaintAbout({ protocol: "p1", port: { ...port, parity: "odd" } }),
      /port\.parity must be one of: none/,
    );
    assert.match(
      complaintAbout({ protocol: "p1", port: { ...port, dataBits: 6 } }),
      /port\.dataBits must be one of: 7/,
    );
    for (const other of [null, "x", { kind: "tcp", baud: 5 }]) {
      assert.equal(accepted({ protocol: "p1", port: other }), undefined);
    }
  });

  test("never tells a key, whatever is wrong with it", () => {
    const hexLike = fc.string({ unit: fc.constantFrom(..."0123456789abcdefg"), minLength: 8, maxLength: 40 });
    fc.assert(
      fc.property(hexLike, hexLike, (encryption, authentication) => {
        const refused = accepted({ protocol: "hdlc", keys: { encryption, authentication } });
        if (refused === undefined) return;
        assert.ok(!refused.reason.includes(encryption) && !refused.reason.includes(authentication));
      }),
    );
  });

  test("never throws, whatever stands in a field", () => {
    const names = ["protocol", "port", "profile", "keys", "request", "pulse", "modbus", "zoneOffset_s", "powerMax_W"];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, value) => {
        accepted({ protocol: "auto", [name]: value });
      }),
    );
  });
});

describe("the line of a port", () => {
  const line = (meter: Partial<MeterConfiguration>): string => {
    const { baud, dataBits, parity } = lineOf({ protocol: "p1", port, ...meter });
    return `${baud} ${dataBits}${parity[0]}`;
  };

  test("is the protocol's usual one", () => {
    assert.equal(line({}), "115200 8n");
    assert.equal(line({ protocol: "sml" }), "9600 8n");
    assert.equal(line({ protocol: "mbus" }), "2400 8e");
    assert.equal(line({ protocol: "d0" }), "9600 7e");
    assert.equal(line({ protocol: "d0", request: { interval_s: 60 } }), "300 7e");
    assert.equal(line({ protocol: "auto" }), "115200 8n");
    assert.equal(line({ protocol: "modbus", port: { kind: "tcp", baud: 1 } }), "9600 8n");
  });

  test("is what the port states, seven bits with even parity where the protocol is text", () => {
    assert.equal(line({ port: { ...port, baud: 9600, parity: "even" } }), "9600 7e");
    assert.equal(line({ port: { ...port, baud: 9600, parity: "even", dataBits: 8 } }), "9600 8e");
    assert.equal(line({ protocol: "hdlc", port: { ...port, parity: "none" } }), "2400 8n");
    assert.equal(line({ protocol: "modbus", port: { ...port, parity: "even" } }), "9600 8e");
    assert.equal(line({ protocol: "d0", port: { ...port, parity: "none" } }), "9600 8n");
  });
});
