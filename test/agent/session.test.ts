// How a meter comes to a session: with its own clock, without one, and with one that is wrong.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorld, noFaults, type World } from "./world.js";

const schedule = [{ service: 1, serviceId: 7, every_s: 2, aligned: true, registers: ["1-0:1.8.n"] }];
const options = { schedule, faults: noFaults, sectors: 16 };
const HOUR_MS = 3_600_000;

function assertSeals(world: World): void {
  assert.deepEqual(world.conflicts, []);
  world.setMetering(false);
  world.run(30);
  assert.equal(world.counters.waiting, 0, "all is sealed");
  assert.ok(world.sealed.size >= 20, `${world.sealed.size} records`);
}

test("a meter shows a token of its own, another one for each connection", () => {
  const world = createWorld({ seed: 1, ...options });
  world.run(30);
  world.setNodes(false);
  world.run(150);
  world.setNodes(true);
  world.run(60);
  assertSeals(world);
  assert.ok(world.tokens > 1, "it has connected again");
  assert.equal(world.tokens, world.counters.connections);
  assert.equal(world.tokensRefused, 0);
});

for (const quality of [0, 3] as const) {
  test(`a meter whose clock is of quality ${quality} asks for the time first, and keeps what it reads meanwhile`, () => {
    const world = createWorld({ seed: 2, ...options, clock: { ahead_ms: -400_000 * HOUR_MS, quality } });
    world.run(60);
    assertSeals(world);
    assert.equal(world.tokensRefused, 0);
    assert.deepEqual([world.counters.connections, world.tokens], [2, 1]);
  });
}

for (const ahead_ms of [-HOUR_MS, HOUR_MS]) {
  test(`a meter whose clock is wrong by ${ahead_ms} ms is refused once by each broker, and told the time`, () => {
    const world = createWorld({ seed: 3, ...options, clock: { ahead_ms, quality: 2 } });
    world.run(60);
    assertSeals(world);
    assert.equal(world.tokensRefused, 2);
  });
}

test("a meter that no node tells the time asks again elsewhere, and signs by its own clock once more", () => {
  const world = createWorld({ seed: 4, ...options });
  world.setBroker(false);
  world.run(21);
  world.setBroker(true);
  world.setNodes(false);
  world.run(90);
  assert.ok(world.counters.connections! >= 2);
  world.setNodes(true);
  world.run(90);
  assertSeals(world);
});

test("a meter whose tokens are refused by an order says why, and seals all that it kept once the order is lifted", () => {
  const world = createWorld({ seed: 5, ...options });
  world.run(20);
  world.setBar("suspended");
  world.run(120);
  assert.equal(world.states.at(-1), "refused: suspended");
  assert.ok(!world.states.includes("no meter") || world.states.indexOf("no meter") === 0);
  assert.ok(world.tokensRefused >= 2, "it goes on trying");
  world.setBar("revoked");
  world.run(120);
  assert.equal(world.states.at(-1), "refused: revoked");
  world.setBar(undefined);
  world.run(120);
  assert.equal(world.states.at(-1), "healthy");
  assertSeals(world);
});

for (const quality of [2, 0] as const) {
  test(`a broker at which nobody answers takes no token from another: clock of quality ${quality}`, () => {
    const world = createWorld({ seed: 6, ...options, clock: { ahead_ms: 0, quality } });
    world.setDead("mqtt://a:1883");
    world.setStrangers(quality === 0);
    world.run(600);
    assertSeals(world);
    assert.equal(world.tokensRefused, 0);
  });
}
