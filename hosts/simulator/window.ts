// The meter's program in the SDK's simulator with a window: the agent as everywhere, and beside it the meter's face, drawn by Commodetto.
// A host around the host sees what the agent sees: bytes of the port, messages of the broker, the state.

import Resource from "Resource";
import Poco from "commodetto/Poco";
import parseBMF from "commodetto/parseBMF";
import host from "host";
import qrCode from "qrcode";
import Timer from "timer";
import { isComplaint, readConfiguration } from "../../src/agent/configuration.js";
import { openIdentity } from "../../src/agent/identity.js";
import { openMeterInput } from "../../src/agent/open-meter.js";
import { runAgent } from "../../src/agent/shell.js";
import type { Host } from "../../src/host.js";
import { createFace, type Face, faceLines, seeMessage, seeReading, seeState } from "./face.js";

const DRAW_MS = 250;
/** Each letter and each run of the code is an entry. */
const DISPLAY_LIST_BYTES = 16_384;
const MARGIN = 10;
const GAP = 6;

const face = createFace(openIdentity(host.keyValue, (length) => host.random(length)).id);
runAgent(watched(host));
show(face);

/** The host, with the face looking on. */
function watched(inner: Host): Host {
  const configuration = readConfiguration(inner.configuration());
  const meter = isComplaint(configuration) ? undefined : configuration.meter;
  // A count of its own for the face: the one that is kept is the agent's.
  const unkept = { get: () => undefined, set() {}, delete() {} };
  const input = meter === undefined ? undefined : openMeterInput(meter, { crypto: inner, keyValue: unkept });
  const see = (bytes: Uint8Array): void => {
    for (const outcome of input?.push(bytes, inner.uptime_ms(), []) ?? []) if (outcome.ok) seeReading(face, outcome);
  };
  return {
    ...inner,
    openMeter(port, line, onBytes) {
      return inner.openMeter(port, line, (bytes) => {
        see(bytes);
        onBytes(bytes);
      });
    },
    connectMqtt(options, events) {
      return inner.connectMqtt(options, {
        ...events,
        onMessage(topic, payload) {
          seeMessage(face, topic, payload);
          events.onMessage(topic, payload);
        },
      });
    },
    showState(state, counters) {
      seeState(face, state, counters);
      inner.showState(state, counters);
    },
  };
}

/** Draws the face whenever it has changed. */
function show(shown: Face): void {
  const render = new Poco(screen, { displayListLength: DISPLAY_LIST_BYTES });
  const large = parseBMF(new Resource("OpenSans-Semibold-28.bf4"));
  const small = parseBMF(new Resource("OpenSans-Semibold-16.bf4"));
  const paper = render.makeColor(255, 255, 255);
  const ink = render.makeColor(16, 24, 32);
  const pale = render.makeColor(110, 120, 130);
  const good = render.makeColor(0, 130, 70);
  const bad = render.makeColor(190, 40, 20);
  // `gridseal:` tells a scanner's owner what the digits are.
  const code = qrCode({ input: `gridseal:${shown.id}`, maxVersion: 4 });
  let drawn = "";

  const draw = (): void => {
    const lines = faceLines(shown);
    const now = `${shown.state} ${lines.join()}`;
    if (now === drawn) return;
    drawn = now;
    const { width, height } = render;
    render.begin();
    render.fillRectangle(paper, 0, 0, width, height);
    let y = MARGIN;
    render.drawText(shown.state, large, shown.state === "healthy" ? good : bad, MARGIN, y);
    y += large.height + GAP;
    for (const [name, value] of lines) {
      render.drawText(name, small, pale, MARGIN, y);
      render.drawText(value, small, ink, width - MARGIN - render.getTextWidth(value, small), y);
      y += small.height + 2;
    }
    y += GAP;
    const room = Math.min(width - 2 * MARGIN, height - y - small.height - MARGIN);
    const scale = Math.max(1, Math.floor(room / (code.size + 8)));
    const side = scale * code.size;
    render.drawQRCode(code, Math.floor((width - side) / 2), y + 4 * scale, scale, ink);
    render.drawText(
      shown.id,
      small,
      pale,
      Math.floor((width - render.getTextWidth(shown.id, small)) / 2),
      height - small.height - 4,
    );
    render.end();
  };

  draw();
  Timer.repeat(draw, DRAW_MS);
}
