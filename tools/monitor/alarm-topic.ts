// Alarms on a broker of the operator's choice, a topic a kind: who watches subscribes there. While the broker is away they wait, and that
// is said once.

import { connect } from "mqtt";
import { reasonOf } from "../errors.js";
import type { AlarmKind } from "./alarms.js";

/** The password of the user that the broker's URL names: a command line can be read by every process of the machine. */
export const PASSWORD_VARIABLE = "GRIDSEAL_MQTT_PASSWORD";
const AGAIN_MS = 2_000;
const CONNECT_MS_MAX = 10_000;
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

export interface AlarmBroker {
  readonly url: string;
  readonly password: string | undefined;
  /** the network's name, as topics have it */
  readonly network: string;
  /** that the broker is away, and that it is back */
  say(sentence: string): void;
}

/** Connects again for as long as it is open. */
export function openAlarmTopics({ url, password, network, say }: AlarmBroker): AlarmTopics {
  const client = connect(url, {
    ...{ protocolVersion: 4, clean: true, reconnectPeriod: AGAIN_MS, connectTimeout: CONNECT_MS_MAX },
    ...(password !== undefined && { password }),
  });
  let [isAway, isOpen] = [false, true];
  const onAway = (reason: string) => {
    if (isAway || !isOpen) return;
    isAway = true;
    say(`the broker is not reached, and alarms wait for it: ${reason}`);
  };
  client.on("error", (error) => onAway(reasonOf(error)));
  client.on("close", () => onAway("the connection is closed"));
  client.on("connect", () => {
    if (isAway) say("the broker is reached again");
    isAway = false;
  });
  return {
    async publish(line) {
      try {
        const topic = alarmTopic(network, line.alarm);
        await client.publishAsync(topic, JSON.stringify(line), { qos: AT_LEAST_ONCE });
        return undefined;
      } catch (error) {
        return reasonOf(error);
      }
    },
    close() {
      isOpen = false;
      return client.endAsync(true);
    },
  };
}
