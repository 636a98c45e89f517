// What a part of a node says to one that is made after it: it holds the mailbox, which is opened once whoever takes the messages is
// there. So nothing is tied over a name that has no value yet.

import { assertInvariant } from "../errors.js";

export interface Mailbox<Receiver> {
  readonly isOpen: boolean;
  /** Throws INVARIANT_VIOLATED before it is open. */
  readonly to: Receiver;
  open(receiver: Receiver): void;
}

export function createMailbox<Receiver>(name: string): Mailbox<Receiver> {
  let receiver: Receiver | undefined;
  return {
    get isOpen() {
      return receiver !== undefined;
    },
    get to() {
      assertInvariant(receiver !== undefined, `the mailbox of ${name} is open before anybody writes to it`);
      return receiver;
    },
    open(made) {
      assertInvariant(receiver === undefined, `the mailbox of ${name} is opened once`);
      receiver = made;
    },
  };
}
