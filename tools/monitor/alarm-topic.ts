// Alarms on a broker of the operator's choice, a topic a kind: who watches subscribes there. While the broker is away they wait.

import { connect } from "mqtt";
import { reasonOf } from "../errors.js";
import type { AlarmKind } from "./alarms.js";

/** The password of the user that the broker's URL names: a command line can be read by every process of the machine. */
export const PASSWORD_VARIABLE = "GRIDSEAL_MQTT_PASSWORD";
const AGAIN_MS = 2_000;
const CONNECT_MS_MAX = 10_000;
/** Alarms that wait for the broker; of more the newest are told to nobody there. */
const WAITING_MAX = 1_000;
const AT_LEAST_ONCE = 1;

export interface AlarmTopics {
  /** Resolves with why the alarm is not taken, where it is not. */
  publish(line: { readonly alarm: AlarmKind }): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Topic of alarms of a kind. */
export function alarmTopic(network: string, kind: AlarmKind): string {
  return `gs1/${network}/-/alarm/${kind}`;
}

/** Connects again for as long as it is open. */
export function openAlarmTopics(url: string, network: string, password: string | undefined): AlarmTopics {
  const client = connect(url, {
    ...{ protocolVersion: 4, clean: true, reconnectPeriod: AGAIN_MS, connectTimeout: CONNECT_MS_MAX },
    ...(password !== undefined && { password }),
  });
  client.on("error", () => {}); // whoever publishes is told
  let waiting = 0;
  return {
    async publish(line) {
      if (waiting === WAITING_MAX) return `${WAITING_MAX} alarms wait for it already`;
      waiting += 1;
      try {
        const topic = alarmTopic(network, line.alarm);
        await client.publishAsync(topic, JSON.stringify(line), { qos: AT_LEAST_ONCE });
        return undefined;
      } catch (error) {
        return reasonOf(error);
      } finally {
        waiting -= 1;
      }
    },
    close: () => client.endAsync(true),
  };
}
