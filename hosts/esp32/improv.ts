// Improv Wi-Fi on a board: what its radio hears, and whether the network that was told has let it in. A manifest may leave it out.

import WiFi from "embedded:network/interface/wifi";
import config from "mc/config";
import Timer from "timer";
import type { Field } from "../shared/field.js";
import { Improv } from "../shared/improv.js";
import type { ChipNetwork } from "./network.js";

const WATCH_MS = 1_000;

/** Makes it over the board's network; what it returns opens it on the console's port. */
export function openImprov(field: Field, { down }: Pick<ChipNetwork, "down">) {
  return (write: (bytes: Uint8Array) => void): Improv => {
    const wifi = new WiFi({ onChanged() {} });
    const improv = new Improv({
      ...{ field, write, down },
      scan(onFound, onDone) {
        try {
          wifi.scan({
            onFound: ({ SSID, RSSI, security }) => onFound(SSID, RSSI, security === "none"),
            onComplete: onDone,
          });
        } catch {
          onDone(); // it is connecting, or scans already
        }
      },
      about: () => ["Gridseal", String(config.version), String(config.board), `meter ${field.mac() ?? ""}`],
    });
    Timer.repeat(() => improv.watch(), WATCH_MS);
    return improv;
  };
}
