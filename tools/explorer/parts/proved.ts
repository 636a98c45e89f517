// An entry of a contract's state with its proof, as soon as that is there.

import { useEffect, useState } from "preact/hooks";
import { type AskedState, type Entry, type Proved, proveEntry } from "../network/proved-state.js";

export function useProved(entry: Entry, of: AskedState): Proved {
  const [proved, setProved] = useState<Proved>({ state: "open" });
  useEffect(() => {
    let isWanted = true;
    proveEntry(entry, of, () => isWanted).then((found) => isWanted && setProved(found));
    return () => {
      isWanted = false;
    };
  }, [entry.key]);
  return proved;
}
