// Who has a place at the broker: what one key can take, and who makes room.

import assert from "node:assert/strict";
import test from "node:test";
import { defaultBrokerLimits } from "../../../tools/node/ingest/broker.js";
import { createSessions, type Session } from "../../../tools/node/ingest/sessions.js";

const METER = "0123456789abcdef";
const OTHER = "fedcba9876543210";
const PLACES = 20;

function createPlaces() {
  const limits = { ...defaultBrokerLimits, connections_max: PLACES, sessions_of_meter_max: 3 };
  const places = createSessions<Session>(limits);
  let connected = 0;
  const connect = (): Session => {
    connected += 1;
    const session: Session = {
      address: `192.0.2.${connected}`,
      since_ms: 0,
      connection: { heard_ms: 0 },
      ...{ id: undefined, meter: undefined, provedMeter: undefined, isActive: false },
    };
    places.add(session);
    places.name(session, `session-${connected}`);
    return session;
  };
  return { places, connect };
}

test("sessions of one meter do not take every place, however many of them bring its records", () => {
  const { places, connect } = createPlaces();
  const sessions = Array.from({ length: PLACES }, connect);
  for (const session of sessions) places.prove(session, METER);
  assert.equal(places.makeRoom("192.0.2.200"), sessions[0]);
  assert.deepEqual(
    sessions.map(({ provedMeter }) => provedMeter === METER),
    sessions.map((_, index) => index >= PLACES - 3),
  );
});

test("what is for a meter is sent to its newest sessions, and to one that proves itself again", () => {
  const { places, connect } = createPlaces();
  const sessions = Array.from({ length: 4 }, connect);
  for (const session of sessions) {
    places.subscribe(session, METER);
    places.prove(session, METER);
  }
  assert.deepEqual([...places.ofMeter(METER)], sessions.slice(1));
  places.prove(sessions[0]!, METER);
  assert.deepEqual([...places.ofMeter(METER)], [sessions[2], sessions[3], sessions[0]]);
});

test("a session that leaves, or publishes for another meter, counts for the first no more", () => {
  const { places, connect } = createPlaces();
  const sessions = Array.from({ length: 3 }, connect);
  for (const session of sessions) places.prove(session, METER);
  places.leave(sessions[0]!);
  places.prove(sessions[1]!, OTHER);
  const next = [connect(), connect()];
  for (const session of next) places.prove(session, METER);
  assert.deepEqual(
    [sessions[1]!, sessions[2]!, ...next].map(({ provedMeter }) => provedMeter),
    [OTHER, METER, METER, METER],
  );
});

test("a session that has left proves nothing any more, and never stands for one that makes room", () => {
  const { places, connect } = createPlaces();
  for (let left = 0; left < 12; left += 1) {
    const session = connect();
    places.subscribe(session, METER);
    places.leave(session);
    places.prove(session, METER);
    assert.equal(session.provedMeter, undefined);
  }
  assert.equal(places.ofMeter(METER).size, 0);
  const sessions = Array.from({ length: PLACES }, connect);
  assert.equal(places.makeRoom("192.0.2.200"), sessions[0]);
});
