import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FRAME_AGE_MAX_MS, SEAL_AGE_MAX_MS, type Signs, stateOf } from "../../src/agent/health.js";

const connected = { kind: "connected", connection: 1, since_ms: 0 } as const;
const waiting = { kind: "waiting", until_ms: 0 } as const;
const good: Signs = {
  uptime_ms: 500_000,
  hasCredential: true,
  lastBytes_ms: 499_000,
  lastFrame_ms: 499_000,
  frameInterval_ms: 0,
  badFrames: 0,
  link: connected,
  closedBecause: undefined,
  hasLeft: false,
  oldestWait_ms: 1_000,
  refusedAs: undefined,
  barredAs: undefined,
};

describe("health", () => {
  test("names the first break on the way from the port to the sealed record", () => {
    assert.equal(stateOf(good), "healthy");
    assert.equal(stateOf({ ...good, oldestWait_ms: SEAL_AGE_MAX_MS + 1 }), "not sealed");
    const away = { ...good, link: waiting, closedBecause: "Connection refused: Not authorized" };
    assert.equal(stateOf({ ...away, barredAs: "suspended" }), "refused: suspended");
    assert.equal(stateOf({ ...good, barredAs: "revoked" }), "refused: revoked");
    assert.equal(stateOf({ ...good, lastFrame_ms: undefined, barredAs: "revoked" }), "no meter");
    assert.equal(stateOf({ ...good, link: waiting, closedBecause: "connection refused" }), "no broker");
    assert.equal(stateOf({ ...good, link: waiting, closedBecause: "no network: interface is down" }), "no network");
    const noFrame = { ...good, link: waiting, lastFrame_ms: good.uptime_ms - FRAME_AGE_MAX_MS - 1 };
    assert.equal(stateOf({ ...noFrame, badFrames: 3 }), "bad frames");
    assert.equal(stateOf(noFrame), "no meter");
    assert.equal(stateOf({ ...noFrame, badFrames: 3, lastBytes_ms: noFrame.lastFrame_ms }), "no meter");
    assert.equal(stateOf({ ...noFrame, hasCredential: false }), "no credential");
  });

  test("says refused at once where it is for good, and otherwise when it has lasted", () => {
    assert.equal(stateOf({ ...good, refusedAs: "revoked" }), "refused: revoked");
    assert.equal(stateOf({ ...good, refusedAs: "malformed" }), "refused: malformed");
    assert.equal(stateOf({ ...good, refusedAs: "busy" }), "healthy");
    assert.equal(stateOf({ ...good, refusedAs: "busy", oldestWait_ms: SEAL_AGE_MAX_MS + 1 }), "refused: busy");
  });

  test("goes on saying what is wrong while the meter itself changes its broker for that", () => {
    const late = { ...good, link: waiting, oldestWait_ms: SEAL_AGE_MAX_MS + 1 };
    assert.equal(stateOf({ ...late, hasLeft: true }), "not sealed");
    assert.equal(stateOf({ ...late, hasLeft: true, refusedAs: "revoked" }), "refused: revoked");
    assert.equal(stateOf(late), "no broker");
    assert.equal(stateOf({ ...good, link: waiting, hasLeft: true }), "no broker");
  });

  test("has no meter before the first byte, and is not alarmed by one bad frame among good ones", () => {
    assert.equal(stateOf({ ...good, lastBytes_ms: undefined, lastFrame_ms: undefined }), "no meter");
    assert.equal(stateOf({ ...good, badFrames: 1 }), "healthy");
  });
});
