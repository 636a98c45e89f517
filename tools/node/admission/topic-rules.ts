// Which topics of a shared broker are whose: a holder of a credential has those of its own id, nodes the other ends of them, and a
// stranger what a meter without a clock needs. A node's own broker holds the same (ingest/session-admission.ts).

/** A holder of a credential, or a node, which has none. */
export interface TopicHolder {
  readonly id: string;
  readonly isNode: boolean;
}

export interface TopicRule {
  readonly action: "publish" | "subscribe";
  readonly topic: string;
}

const rules = (action: TopicRule["action"], topics: readonly string[]): readonly TopicRule[] =>
  topics.map((topic) => ({ action, topic }));

/** All that may be done with topics of the network; what is not here is refused. */
export function topicRules(network: string, holder: TopicHolder | undefined): readonly TopicRule[] {
  const of = (level: string, kind: string, id: string) => `gs1/${network}/${level}/${kind}/${id}`;
  const fromMeter = (id: string) => [
    of("+", "record", id),
    ...["birth", "death", "diag"].map((kind) => of("-", kind, id)),
  ];
  const toMeter = (id: string) => [
    ...["receipt", "members"].map((kind) => of("+", kind, id)),
    ...["ack", "command", "time", "violation"].map((kind) => of("-", kind, id)),
  ];
  if (holder === undefined) {
    return [...rules("publish", [of("-", "birth", "+")]), ...rules("subscribe", [of("-", "time", "+")])];
  }
  if (!holder.isNode) {
    return [...rules("publish", fromMeter(holder.id)), ...rules("subscribe", toMeter(holder.id))];
  }
  return [...rules("publish", toMeter("+")), ...rules("subscribe", fromMeter("+"))];
}

/** Whether one of the rules lets the action be done with the topic or filter. */
export function mayUse(rules: readonly TopicRule[], action: TopicRule["action"], topic: string): boolean {
  const wanted = (/^\$share\/[^/]+\/(.*)$/.exec(topic)?.[1] ?? topic).split("/");
  if (action === "publish" && (topic.includes("+") || topic.includes("#"))) return false;
  return rules.some((rule) => {
    const levels = rule.topic.split("/");
    // A wildcard of a filter is within a rule that has one there itself.
    const fits = (level: string, index: number) => level === wanted[index] || (level === "+" && wanted[index] !== "#");
    return rule.action === action && levels.length === wanted.length && levels.every(fits);
  });
}
